"""A batch that hangs holds its database transaction: what its worker does about it, and that all is counted once."""

import msgspec
import pytest

from tests.support.counted import counted_ids
from tests.support.flows import eventually

TROUBLES = "tests.support.troubles"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request, settings):
    return request.getfixturevalue("empty_postgres_url") if request.param == "postgres" else settings.database_url


@pytest.mark.slow
@pytest.mark.parametrize("orders", [1, 60])
def test_a_hung_batch_makes_its_worker_replace_itself_and_all_is_counted_once(
    shop, database_url, start_worker, tmp_path, orders
):
    dead = shop.make_topic("seized.dlq", partitions=1)
    ids = [f"o{number:03}" for number in range(orders)]
    shop.place(*[(order_id, "ok") for order_id in ids])
    settings = msgspec.structs.replace(shop.settings, database_url=database_url)
    worker = start_worker(settings, "--agents", "seized", "--catalogue", TROUBLES, SHOP_HUNG=tmp_path / "hung")
    worker.await_line("replacing")
    eventually(lambda: worker.text().count(" ready ") == 2, limit_s=60)
    eventually(lambda: shop.lag("seized") == 0, limit_s=60)
    assert counted_ids(database_url) == ids
    assert shop.read(dead) == []
    assert worker.terminate() == 0


@pytest.mark.slow
def test_a_record_that_hangs_every_batch_is_dead_lettered_alone_and_no_worker_replaces_itself_for_ever(
    shop, start_worker
):
    dead = shop.make_topic("counting.dlq", partitions=1)
    shop.place(("o1", "ok"), ("o2", "hang"), ("o3", "ok"))
    worker = start_worker(shop.settings, "--agents", "counting")
    eventually(lambda: shop.lag("counting") == 0, limit_s=120)
    assert counted_ids(shop.settings.database_url) == ["o1", "o3"]
    assert [letter.key() for letter in shop.read(dead)] == [b"o2"]
    assert worker.text().count(" replacing ") <= 4
    assert worker.terminate() == 0
