"""The way out, when the producer's queue is full: nothing blocks, nothing is lost, and the order stays."""

import time

import pytest

from consumers.runtime.outputs import Outputs, Ticket
from consumers.runtime.record import Failed, Record, Result
from producers.memory import MemorySender
from producers.sender import SendError


class Narrow(MemorySender):
    """A sender with room for so many records."""

    def __init__(self, room):
        super().__init__(["orders.confirmed"])
        self.room = room

    def offer(self, topic, value, **rest):
        if self.room == 0:
            return False
        self.room -= 1
        return super().offer(topic, value, **rest)


def publish(outputs, *values):
    settled = []
    ticket = Ticket(None, settled=settled.append)
    for index, value in enumerate(values):
        outputs.publish(ticket, index, (Result("orders.confirmed", value),))
    ticket.seal()
    return ticket, settled


def outputs_over(sender):
    return Outputs(sender, agent="threads", dead_letter_topic="threads.dlq")


def test_what_a_full_queue_does_not_take_waits_in_order_and_goes_out_when_there_is_room():
    sender = Narrow(2)
    outputs = outputs_over(sender)
    _, settled = publish(outputs, b"1", b"2", b"3", b"4")
    assert outputs.congested
    assert settled == []
    sender.room = 1
    outputs.pump()
    assert [record.value for record in sender.records] == [b"1", b"2", b"3"]
    sender.room = 9
    outputs.pump()
    assert [record.value for record in sender.records] == [b"1", b"2", b"3", b"4"]
    assert not outputs.congested
    assert len(settled) == 1


def test_a_result_never_overtakes_one_that_waits():
    sender = Narrow(0)
    outputs = outputs_over(sender)
    publish(outputs, b"1")
    sender.room = 9
    publish(outputs, b"2")
    outputs.pump()
    assert [record.value for record in sender.records] == [b"1", b"2"]


def test_a_refusal_is_the_result_s_failure_and_settles_the_ticket():
    class Refusing(MemorySender):
        def offer(self, topic, value, **_):
            if value == b"2":
                raise SendError("MSG_SIZE_TOO_LARGE", "too large", topic=topic)
            return super().offer(topic, value, **_)

    ticket, settled = publish(outputs_over(Refusing(["orders.confirmed"])), b"1", b"2", b"3")
    assert list(ticket.failures) == [1]
    assert settled == [ticket]


@pytest.mark.parametrize(
    ("wait_s", "topic"),
    [(60, "retry.1m"), (59.5, "retry.1m"), (58, "retry.5s"), (5, "retry.5s"), (1, "retry.5s"), (900, "retry.10m")],
)
def test_a_record_waits_in_the_topic_of_the_longest_delay_that_is_not_above_its_own(wait_s, topic):
    retry_topics = {5: "retry.5s", 60: "retry.1m", 600: "retry.10m"}
    sender = MemorySender([*retry_topics.values()])
    outputs = Outputs(sender, agent="loose", dead_letter_topic="loose.dlq", retry_topics=retry_topics)
    ticket = Ticket(None, settled=lambda ticket: None)
    failed = Failed(kind="retry", error_class="Retry", message="not yet")
    due_ms = int((time.time() + wait_s) * 1000)
    outputs.retry(ticket, 0, Record("orders.placed", 0, 3, 0, b"k", b"v"), failed, due_ms=due_ms)
    assert [record.stored_topic for record in sender.records] == [topic]
