"""A commit counts when the broker has answered; one that is never answered is said again."""

import time

from confluent_kafka import KafkaError

from consumers.runtime.assignment import Assignment
from consumers.runtime.commits import Commits
from consumers.runtime.local import agent_named
from consumers.runtime.metadata import Note
from consumers.runtime.offsets import Start
from tests.support.kits import shop_kit


class Recorder:
    """A consumer that writes down what it is asked to commit, and a membership of one partition."""

    def __init__(self):
        self.agent = agent_named(shop_kit(), "threads")
        self.assignment = Assignment.of(self.agent, "orders.placed", 0, Note("id"), Start(0), committed=0)
        self.assignments, self.committed = {self.assignment.place: self.assignment}, []
        self.commits = Commits(self.agent, self, in_flight=lambda: 200)

    def commit(self, *, offsets, asynchronous):
        assert asynchronous
        self.committed += [offset.offset for offset in offsets]

    def finish(self, *offsets):
        self.assignment.watermark.deliver(offsets)
        self.assignment.watermark.finish(offsets)

    def set_pauses(self):
        """Nothing to pause."""


def answer(code):
    """What the broker says of the commit of offset 3; None for that it has it."""
    error = None if code is None else KafkaError(code)
    return type("Answer", (), {"topic": "orders.placed", "partition": 0, "offset": 3, "error": error})()


def test_a_commit_that_nobody_answers_is_said_again_after_a_while():
    recorder = Recorder()
    recorder.finish(0, 1, 2)
    for now_s in (10.0, 11.0, 14.0):
        recorder.commits.send(recorder, now_s)
    assert recorder.committed == [3]
    recorder.commits.send(recorder, 16.0)
    assert recorder.committed == [3, 3]


def test_a_commit_that_was_answered_is_not_said_again():
    recorder = Recorder()
    recorder.finish(0, 1, 2)
    recorder.commits.send(recorder, 10.0)
    assert recorder.assignment.due_commit() is None
    recorder.commits.answered(None, [answer(None)])
    for now_s in (20.0, 30.0):
        recorder.commits.send(recorder, now_s)
    assert recorder.committed == [3]


def test_a_member_that_is_refused_on_and_on_as_unknown_is_expelled():
    recorder = Recorder()
    recorder.finish(0, 1, 2)
    recorder.commits.send(recorder, 10.0)
    recorder.commits.answered(None, [answer(KafkaError.UNKNOWN_MEMBER_ID)])
    now_s = time.monotonic()
    assert not recorder.commits.is_expelled(now_s + 5)
    assert recorder.commits.is_expelled(now_s + 15)


def test_a_member_whose_commit_is_taken_again_is_not_expelled():
    recorder = Recorder()
    recorder.finish(0, 1, 2)
    recorder.commits.send(recorder, 10.0)
    recorder.commits.answered(None, [answer(KafkaError.UNKNOWN_MEMBER_ID)])
    recorder.commits.send(recorder, 11.0)
    recorder.commits.answered(None, [answer(None)])
    assert not recorder.commits.is_expelled(time.monotonic() + 60)


def test_a_commit_that_is_refused_for_another_reason_expels_nobody():
    recorder = Recorder()
    recorder.finish(0, 1, 2)
    recorder.commits.send(recorder, 10.0)
    recorder.commits.answered(None, [answer(KafkaError.COORDINATOR_LOAD_IN_PROGRESS)])
    assert not recorder.commits.is_expelled(time.monotonic() + 60)
