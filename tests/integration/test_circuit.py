"""A dependency that is down: the agent waits and probes, burns no attempt, floods no topic, and goes on by itself."""

import pytest

from tests.support.commands import listed
from tests.support.flows import eventually
from tests.support.shop.records import OrderConfirmed


def confirmed(flow):
    return sorted(flow.kit.codec.decode(m.value(), OrderConfirmed).order_id for m in flow.read(flow.confirmed))


@pytest.mark.parametrize("wish", ["needs", "wired"])
def test_an_agent_whose_dependency_is_down_waits_probes_and_finishes_everything_when_it_is_back(shop, tmp_path, wish):
    dead = shop.make_topic("threads.dlq", partitions=1)
    door = tmp_path / "door"
    shop.place(*[(f"o{number:03}", f"{wish}:{door}") for number in range(200)])
    with shop.running("threads", dependencies={"ConnectionError": "warehouse"}) as runner:
        eventually(lambda: "warehouse" in runner.circuits.open)
        eventually(lambda: runner.circuits.open["warehouse"].probes >= 2)
        assert runner.stats.waited < 200, "an open circuit tries one record at a time"
        assert shop.lag("threads") == 200
        door.touch()
        eventually(lambda: shop.lag("threads") == 0, limit_s=60)
        assert runner.circuits.open == {}
    assert confirmed(shop) == [f"o{number:03}" for number in range(200)]
    assert shop.read(dead) == []
    assert runner.stats.retried == 0


def test_a_record_that_alone_finds_its_dependency_down_is_dead_lettered_after_its_attempts(shop):
    dead = shop.make_topic("threads.dlq", partitions=1)
    shop.place(("alone", "down"))
    with shop.running("threads"):
        eventually(lambda: shop.place(("passes", "ok")) or shop.read(dead), limit_s=60)
        eventually(lambda: shop.lag("threads") == 0)
    (letter,) = shop.read(dead)
    assert letter.key() == b"alone"


def test_a_stop_does_not_wait_for_a_dependency_and_the_status_names_it(shop, start_worker, tmp_path):
    shop.make_topic("threads.dlq", partitions=1)
    shop.make_topic("headrace.workers", partitions=1, cleanup_policy="compact")
    shop.place(*[(f"o{number}", f"needs:{tmp_path / 'door'}") for number in range(50)])
    worker = start_worker(shop.settings, "--agents", "threads")
    assert "dependency=warehouse" in worker.await_line("circuit_opened")

    def row():
        (found,) = [each for each in listed(shop.settings, "status") if each["agent"] == "threads"]
        return found["circuits"].get("warehouse") is not None

    eventually(row)
    assert worker.terminate(20) == 0
    assert shop.lag("threads") == 50
