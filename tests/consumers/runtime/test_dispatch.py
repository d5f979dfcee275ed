"""How far a drain has to go: to the highest offset that was handed over, whatever has become of it since."""

import time

from consumers.runtime.assignment import Assignment
from consumers.runtime.dispatch import Dispatch
from consumers.runtime.executors.inline import Inline
from consumers.runtime.flow import Flow
from consumers.runtime.local import agent_named
from consumers.runtime.membership import drained
from consumers.runtime.offsets import Log, Start
from consumers.runtime.stats import Stats
from tests.support.kits import order_record, shop_kit


class Kept(Inline):
    """Holds each chunk until it is asked to finish it."""

    def __init__(self):
        super().__init__(None, done=lambda _: None)
        self.chunks, self.free = [], 2

    def submit(self, chunk):
        self.chunks.append(chunk)
        self.free -= 1


class Owned:
    """A membership of one partition."""

    paused = False

    def __init__(self, assignment):
        self.assignments = {assignment.place: assignment}


def test_a_drain_goes_to_the_highest_offset_handed_over_even_while_its_result_waits_for_the_broker():
    kit = shop_kit()
    agent = agent_named(kit, "threads")
    assignment = Assignment.of(agent, "orders.placed", 0, Log("id", 0, 100), Start(0), committed=-1)
    executor = Kept()
    dispatch = Dispatch(agent, executor, Flow(agent, Owned(assignment), Stats()))
    records = [order_record(kit, offset, key=f"k{offset % 3}".encode()) for offset in range(30)]
    assignment.watermark.deliver([record.offset for record in records])
    assignment.lanes.add(records)
    dispatch.hand_over([assignment])
    highest = max(chunk.records[-1].offset for chunk in executor.chunks)
    assert assignment.reached == highest + 1
    for chunk in executor.chunks:  # handled; every result is on its way to the broker
        assignment.chunks.discard(chunk)
        assignment.lanes.release(chunk.lane)
        assignment.unacknowledged += len(chunk.records)
    horizons = {assignment: assignment.reached}
    assert not drained([assignment], horizons)
    assignment.watermark.finish(record.offset for chunk in executor.chunks for record in chunk.records)
    assignment.unacknowledged = 0
    assert not drained([assignment], horizons), "offsets below the highest are still queued: to end here leaves holes"
    until_s = time.monotonic() + 5
    while not drained([assignment], horizons) and time.monotonic() < until_s:
        executor.chunks.clear()
        executor.free = 2
        dispatch.hand_over([assignment], horizons)
        for chunk in executor.chunks:
            assignment.chunks.discard(chunk)
            assignment.lanes.release(chunk.lane)
            assignment.watermark.finish(record.offset for record in chunk.records)
    assert assignment.watermark.committable >= highest + 1
    assert assignment.due_commit().offset == assignment.watermark.committable
