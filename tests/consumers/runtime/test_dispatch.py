"""How far a drain has to go: to the highest offset that was handed over, whatever has become of it since."""

import time

from consumers.runtime.assignment import Assignment
from consumers.runtime.batch_work import BatchWork
from consumers.runtime.chunk import Chunk, Purpose
from consumers.runtime.circuit import Circuits
from consumers.runtime.dispatch import Dispatch
from consumers.runtime.executors.inline import Inline
from consumers.runtime.flow import Flow
from consumers.runtime.local import agent_named
from consumers.runtime.membership import drained
from consumers.runtime.metadata import Note
from consumers.runtime.offsets import Start
from consumers.runtime.outputs import Outputs
from consumers.runtime.record import Failed
from consumers.runtime.state import Position, State
from consumers.runtime.stats import Stats
from producers.memory import MemorySender
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
    assignment = Assignment.of(agent, "orders.placed", 0, Note("id"), Start(0), committed=-1)
    executor = Kept()
    outputs = Outputs(MemorySender(["orders.confirmed"]), agent="threads", dead_letter_topic="threads.dlq")
    dispatch = Dispatch(agent, executor, Flow(agent, Owned(assignment), outputs, Stats()), Circuits())
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
    assignment.watermark.finish([record.offset for chunk in executor.chunks for record in chunk.records])
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
            assignment.watermark.finish([record.offset for record in chunk.records])
    assert assignment.watermark.committable >= highest + 1
    assert assignment.due_commit().offset == assignment.watermark.committable


def test_a_probe_whose_partition_goes_to_another_member_keeps_no_later_probe_waiting():
    kit = shop_kit()
    agent = agent_named(kit, "threads")
    assignments = [
        Assignment.of(agent, "orders.placed", partition, Note("id"), Start(0), committed=-1) for partition in range(2)
    ]
    circuits, executor = Circuits(), Kept()
    outputs = Outputs(MemorySender(["orders.confirmed"]), agent="threads", dead_letter_topic="threads.dlq")
    dispatch = Dispatch(agent, executor, Flow(agent, Owned(assignments[0]), outputs, Stats()), circuits)
    for assignment in assignments:
        records = [order_record(kit, offset) for offset in range(3)]
        assignment.watermark.deliver([record.offset for record in records])
        assignment.lanes.add(records)
    for number in range(5):
        circuits.failed("warehouse", ("orders.placed", 0, number), now_s=time.monotonic() - 5)
    dispatch.hand_over(assignments)
    (probe,) = executor.chunks
    dispatch.hand_over(assignments)
    assert executor.chunks == [probe], "one probe at a time"
    dispatch.give_up([probe.owner])
    dispatch.hand_over([assignment for assignment in assignments if assignment is not probe.owner])
    assert len(executor.chunks) == 2


def advancing(stored):
    kit = shop_kit()
    agent = agent_named(kit, "counting")
    assignment = Assignment.of(agent, "orders.placed", 0, Note("id"), Start(stored), committed=-1)
    assignment.watermark.deliver([stored])
    assignment.watermark.finish([stored])  # dead-lettered: no transaction has moved the stored offset past it
    executor = Kept()
    outputs = Outputs(MemorySender(["orders.confirmed"]), agent="counting", dead_letter_topic="counting.dlq")
    return Dispatch(agent, executor, Flow(agent, Owned(assignment), outputs, Stats()), Circuits()), assignment, executor


def test_a_stored_offset_that_lags_behind_is_advanced_once_and_after_a_failure_not_at_once_again():
    dispatch, assignment, executor = advancing(5)
    now_s = time.monotonic()
    for _ in range(3):
        dispatch.errands([assignment], now_s)
    (chunk,) = executor.chunks
    assert (chunk.purpose, chunk.following) == (Purpose.ADVANCE, 6)
    chunk.failure = Failed(kind="unavailable", error_class="Unavailable", message="the database is away")
    assert not dispatch.returned(chunk)
    dispatch.errands([assignment], now_s)
    assert executor.chunks == [chunk], "a database that is away is not asked again and again"
    dispatch.errands([assignment], now_s + 60)
    assert len(executor.chunks) == 2


def test_advancing_never_moves_a_stored_offset_backwards(tmp_path):
    kit = shop_kit()
    agent = agent_named(kit, "counting")
    state = State(f"sqlite:///{tmp_path}/headrace.db", group="counting")
    position = Position("id", "orders.placed", 0)
    state.begin(position, 9)
    assignment = Assignment.of(agent, "orders.placed", 0, Note("id"), Start(9), committed=-1)
    chunk = Chunk(assignment, 0, [], assignment.lanes.key_of, purpose=Purpose.ADVANCE, following=6)
    BatchWork(agent, kit, state=state).perform(chunk)
    assert (state.start(position), assignment.stored, chunk.failure) == (9, 9, None)
    state.close()
