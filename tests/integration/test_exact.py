"""An exact batch agent on a real broker: each order's row is written once, whatever fails."""

import pytest
import sqlalchemy as sa

from tests.support.flows import Flow, eventually
from tests.support.shop.counting import seen


@pytest.fixture
def flow(settings, make_topic):
    made = Flow(settings, make_topic, partitions=2)
    made.dead = make_topic("counting.dlq", partitions=1)
    yield made
    made.sender.close()


def rows_of(flow):
    engine = sa.create_engine(flow.settings.database_url)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(seen.c.order_id).order_by(seen.c.order_id)).scalars().all()
    engine.dispose()
    return rows


@pytest.mark.parametrize("poison", ["reject", "bug", "reject-named"])
def test_a_poison_record_is_found_alone_and_all_its_neighbours_are_counted_once(flow, poison):
    wishes = [poison if number % 40 == 7 else "ok" for number in range(200)]
    flow.place(*[(f"o{number:03}", wish) for number, wish in enumerate(wishes)])
    with flow.running("counting"):
        eventually(lambda: flow.lag("counting") == 0)
    assert rows_of(flow) == [f"o{number:03}" for number, wish in enumerate(wishes) if wish == "ok"]
    assert sorted(letter.key().decode() for letter in flow.read(flow.dead)) == [
        f"o{number:03}" for number in range(7, 200, 40)
    ]


def test_undecodable_bytes_are_dead_lettered_and_nothing_behind_them_is_lost(flow):
    flow.place(*[(f"o{number:03}", "ok") for number in range(20)])
    flow.sender.send(flow.placed, b"garbage", key=b"o001")
    flow.sender.send(flow.placed, None, key=b"o002")
    flow.place(*[(f"o{number:03}", "ok") for number in range(20, 40)])
    with flow.running("counting"):
        eventually(lambda: flow.lag("counting") == 0)
    assert rows_of(flow) == [f"o{number:03}" for number in range(40)]
    assert [letter.value() for letter in flow.read(flow.dead)] == [b"garbage"]


def test_an_unreachable_dependency_is_waited_for_without_counting_twice(flow):
    flow.place(("o1", "ok"), ("o2", "down"))
    with flow.running("counting") as runner:
        eventually(lambda: runner.stats.waited >= 2)
    assert flow.read(flow.dead) == []
    assert flow.lag("counting") >= 1


def test_a_batch_that_outlives_its_deadline_is_counted_once(flow):
    flow.place(*[(f"o{number:03}", "slow:1.6" if number == 5 else "ok") for number in range(30)])
    with flow.running("counting", deadline_s=0.8):
        eventually(lambda: flow.lag("counting") == 0, limit_s=60)
    dead = [letter.key().decode() for letter in flow.read(flow.dead)]
    assert sorted([*rows_of(flow), *dead]) == [f"o{number:03}" for number in range(30)]


def test_a_restart_goes_on_at_the_stored_offset_whatever_the_group_committed(flow):
    flow.place(*[(f"o{number:03}", "ok") for number in range(50)])
    with flow.running("counting"):
        eventually(lambda: flow.lag("counting") == 0)
    flow.place(*[(f"p{number:03}", "ok") for number in range(50)])
    with flow.running("counting"):
        eventually(lambda: flow.lag("counting") == 0)
    assert len(rows_of(flow)) == 100
