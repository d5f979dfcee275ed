"""A rewind on the real broker: the live group's own offsets."""

from contextlib import closing

import pytest

from streams.replay.groups import Groups
from tests.support.flows import eventually
from tests.support.replays import job_of, jobs, replay
from tests.support.shop.records import OrderConfirmed


@pytest.fixture
def handled(flow):
    """Forty orders that the live agent has handled; its group has no members any more."""
    flow.place(*[(f"o{number}", "ok") for number in range(40)])
    with flow.running("threads"):
        eventually(lambda: flow.lag("threads") == 0)
    return flow


def confirmations(flow):
    return [flow.kit.codec.decode(m.value(), OrderConfirmed).order_id for m in flow.read(flow.confirmed)]


def test_a_group_without_members_is_set_back_and_reads_again_from_there(handled):
    flow = handled
    ran = replay(flow.settings, "orders.placed", "--from", "3", "--mode", "rewind", "--agent", "threads", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert flow.committed("threads") == dict.fromkeys(range(4), 3)
    assert jobs(flow.settings)[job_of(ran)]["state"] == "done"
    with flow.running("threads"):
        eventually(lambda: flow.lag("threads") == 0)
    again = {m.key().decode() for m in flow.read(flow.placed) if m.offset() >= 3}
    assert sorted(confirmations(flow)) == sorted([*(f"o{number}" for number in range(40)), *again])
    assert flow.crashes == []


def test_a_group_with_members_is_left_alone_and_they_are_named(handled):
    flow = handled
    with flow.running("threads") as runner:
        eventually(runner.ready.is_set)
        with closing(Groups(flow.settings)) as groups:
            eventually(lambda: groups.members(flow.settings.names.group("threads")))
        before = flow.committed("threads")
        ran = replay(
            flow.settings, "orders.placed", "--from", "start", "--mode", "rewind", "--agent", "threads", "--yes"
        )
        assert (ran.returncode, ran.stdout) == (2, "")
        assert "has members" in ran.stderr
        assert "127.0.0.1" in ran.stderr
        assert "--pause" in ran.stderr
        assert flow.committed("threads") == before


def test_a_running_worker_is_closed_meanwhile_and_opened_again(handled, start_worker):
    flow = handled
    flow.make_topic("headrace.workers", partitions=1, cleanup_policy="compact")
    worker = start_worker(flow.settings, "--agents", "threads")
    worker.await_line("ready")
    ran = replay(
        flow.settings, "orders.placed", "--from", "3", "--mode", "rewind", "--agent", "threads", "--pause", "--yes"
    )
    assert ran.returncode == 0, ran.stderr
    worker.await_line("opened agent=threads")
    eventually(lambda: flow.lag("threads") == 0 and len(confirmations(flow)) >= 40 + 28)
    again = {m.key().decode() for m in flow.read(flow.placed) if m.offset() >= 3}
    assert sorted(confirmations(flow)) == sorted([*(f"o{number}" for number in range(40)), *again])
    assert worker.terminate() == 0


def test_an_exact_agent_is_refused_by_name_with_the_reason(flow):
    ran = replay(flow.settings, "orders.placed", "--from", "start", "--mode", "rewind", "--agent", "counting", "--yes")
    assert ran.returncode == 2
    assert "counting is an exact agent: its stored offsets win over the group's" in ran.stderr
