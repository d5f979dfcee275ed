"""Records of retry topics: what waits on, and what does not."""

import time

import pytest

from consumers.runtime.assignment import Assignment
from consumers.runtime.intake import Intake
from consumers.runtime.metadata import Note
from consumers.runtime.offsets import Start
from consumers.runtime.record import Record
from consumers.runtime.stats import Stats
from consumers.runtime.waiting import Retried, Waiting
from tests.support.shop.agents import agent


class Settling:
    """Writes down what is sent on."""

    def __init__(self):
        self.postponed = []

    def postpone(self, _assignment, record, _failure, *, due_ms):
        assert due_ms
        self.postponed.append(record.offset)


@pytest.mark.parametrize(("waits_s", "sent_on"), [(3600.0, True), (0.5, False)])
def test_what_the_last_owner_has_finished_already_neither_waits_on_nor_is_finished_twice(waits_s, sent_on):
    loose, settling = agent("loose"), Settling()
    assignment = Assignment.of(loose, "loose.retry.1s", 0, Note("id", done=b"\0\1"), Start(0), committed=0)
    assignment.retry_delay_s = 1
    now_ms = time.time_ns() // 1_000_000
    retried = [
        Retried(Record("orders.placed", 0, at, now_ms - 5_000, b"k", b"v"), now_ms + int(waits_s * 1000), ("Retry", ""))
        for at in (0, 1)
    ]
    waiting = Waiting(None, settling)
    intake = Intake(loose, None, waiting, None, Stats(), together=None)
    waiting.take(assignment, retried, intake._queue)
    assert settling.postponed == ([0] if sent_on else [])
    assignment.lanes.wake(float("inf"))
    assert [record.offset for record in (assignment.lanes.take(10) or (0, []))[1]] == ([] if sent_on else [0])
    assignment.watermark.finish([0])
    assert assignment.watermark.committable == 2
