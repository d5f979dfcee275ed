"""From outcomes to finished records, with the in-memory twin of the sender."""

import time
from queue import SimpleQueue

import msgspec
import pytest
from confluent_kafka import KafkaError

from consumers.runtime.assignment import Assignment
from consumers.runtime.chunk import Chunk
from consumers.runtime.circuit import Circuits
from consumers.runtime.executors import Completed
from consumers.runtime.local import agent_named
from consumers.runtime.metadata import Note
from consumers.runtime.offsets import Start
from consumers.runtime.outputs import Outputs
from consumers.runtime.record import HELD, Failed, Handled, Result
from consumers.runtime.settlement import Settlement
from consumers.runtime.stats import Stats
from producers.memory import MemorySender
from tests.support.kits import order_record, shop_kit

BUG = Failed(kind="unexpected", error_class="KeyError", message="article", bases=("KeyError",))


class Desk:
    """One partition's settlement; `acknowledge` hands over what the sender has answered."""

    def __init__(self, **changes):
        self.kit = shop_kit()
        self.agent = msgspec.structs.replace(agent_named(self.kit, "threads"), **changes)
        self.sender, self.back = MemorySender(["orders.confirmed", "threads.dlq"]), SimpleQueue()
        outputs = Outputs(self.sender, agent="threads", dead_letter_topic="threads.dlq")
        self.circuits = Circuits()
        self.settlement = Settlement(self.agent, outputs, self.circuits, Stats(), settled=self.back.put)
        self.assignment = Assignment.of(self.agent, "orders.placed", 0, Note("id"), Start(0), committed=-1)

    def come_back(self, outcomes, *, keys=None):
        self.handled(outcomes, keys=keys)
        self.acknowledge()

    def handled(self, outcomes, *, keys=None):
        keys = keys or [b"k"] * len(outcomes)
        records = [order_record(self.kit, offset, key=key) for offset, key in enumerate(keys)]
        self.assignment.watermark.deliver([record.offset for record in records])
        chunk = Chunk(self.assignment, 0, records, self.assignment.lanes.key_of)
        self.assignment.chunks.add(chunk)
        self.settlement.completed(Completed(chunk, outcomes))

    def acknowledge(self):
        while not self.back.empty():
            self.settlement.acknowledged(self.back.get())

    def tried_again(self):
        self.assignment.lanes.wake(time.monotonic() + 3600)
        offsets = []
        while (cut := self.assignment.lanes.take(100)) is not None:
            offsets += [record.offset for record in cut[1]]
            self.assignment.lanes.release(cut[0])
        return offsets


def handled(*values):
    return Handled(tuple(Result("orders.confirmed", value) for value in values))


def test_a_record_is_finished_when_its_result_is_acknowledged():
    desk = Desk()
    desk.come_back([handled(b"r"), handled()])
    assert desk.assignment.watermark.committable == 2


def test_results_that_were_not_delivered_are_made_again_in_order():
    desk = Desk()
    desk.sender.fail_next(5)
    desk.come_back([handled(b"r")] * 5)
    assert desk.assignment.watermark.committable == 0
    assert desk.tried_again() == [0, 1, 2, 3, 4]


def test_after_a_refused_result_the_later_records_of_its_key_are_handled_again_in_order_and_no_others():
    desk = Desk()
    desk.sender.fail_next(1)
    desk.come_back([handled(b"r")] * 5, keys=[b"a", b"b", b"a", b"b", b"a"])
    assert len(desk.sender.records) == 4
    assert desk.tried_again() == [0, 2, 4]
    assert desk.assignment.watermark.flags_beyond() == b"\0\1\0\1"


def test_a_record_without_results_behind_a_refused_one_of_its_key_is_handled_again_too():
    desk = Desk()
    desk.sender.fail_next(1)
    desk.come_back([handled(b"r"), handled(), handled()], keys=[b"a", b"a", b"b"])
    assert desk.tried_again() == [0, 1]


def test_behind_a_result_that_is_too_large_the_later_records_of_its_key_stand_as_they_are():
    desk = Desk()
    desk.sender.fail_next(1, code=KafkaError.MSG_SIZE_TOO_LARGE)
    desk.come_back([handled(b"r" * 300_000), handled(b"r")])
    desk.acknowledge()
    assert [record.topic() for record in desk.sender.records] == ["orders.confirmed", "threads.dlq"]
    assert desk.assignment.watermark.committable == 2
    assert desk.tried_again() == []


def test_the_next_record_of_a_key_waits_until_the_result_before_it_is_acknowledged():
    desk = Desk()
    desk.handled([handled(b"r"), handled(b"r")], keys=[b"a", b"b"])
    following = [order_record(desk.kit, offset, key=key) for offset, key in ((2, b"a"), (3, b"c"))]
    desk.assignment.watermark.deliver([2, 3])
    desk.assignment.lanes.add(following)
    assert desk.tried_again() == [3]
    desk.acknowledge()
    assert desk.tried_again() == [2]


def test_a_batch_whose_result_was_not_delivered_is_tried_again_whole():
    desk = Desk(batch_records=100)
    desk.sender.fail_next()
    desk.come_back([handled(b"roll-up"), handled(), handled(), handled()])
    assert desk.assignment.watermark.committable == 0
    assert desk.tried_again() == [0, 1, 2, 3]


def test_a_batch_whose_results_are_delivered_is_finished_whole():
    desk = Desk(batch_records=100)
    desk.come_back([handled(b"roll-up"), handled(), handled()])
    assert desk.assignment.watermark.committable == 3


def test_several_failures_of_a_batch_are_tried_again_in_order():
    desk = Desk(batch_records=100)
    desk.come_back([handled(), BUG, handled(), BUG, BUG])
    assert desk.assignment.watermark.committable == 1
    assert desk.tried_again() == [1, 3, 4]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_dead_letter_that_was_refused_is_sent_again_until_it_is_taken(failing):
    desk = Desk()
    desk.sender.fail_next(failing)
    desk.come_back([msgspec.structs.replace(BUG, kind="rejected")])
    for _ in range(failing):
        assert desk.assignment.watermark.committable == 0
        desk.settlement.resend(time.monotonic() + 3600)
        desk.settlement.acknowledged(desk.back.get())
    assert desk.assignment.watermark.committable == 1


def test_what_comes_back_for_a_partition_that_is_gone_publishes_nothing():
    desk = Desk()
    desk.assignment.end_now()
    desk.come_back([handled(b"r"), BUG])
    assert desk.sender.records == []
    assert desk.assignment.watermark.committable == 0


def test_a_probe_that_was_held_back_lets_the_next_one_follow():
    desk, now_s = Desk(), time.monotonic()
    for offset in range(5):
        desk.circuits.failed("database", ("orders.placed", 0, offset), now_s)
    desk.circuits.probing(now_s)
    assert desk.circuits.allowance(now_s + 30) == 0
    desk.handled([HELD])
    assert desk.circuits.allowance(now_s + 30) == 1
