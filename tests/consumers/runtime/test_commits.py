"""A commit counts when the broker has answered; one that is never answered is said again."""

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
        self.commits = Commits(self.agent, self)

    def commit(self, *, offsets, asynchronous):
        assert asynchronous
        self.committed += [offset.offset for offset in offsets]

    def finish(self, *offsets):
        self.assignment.watermark.deliver(offsets)
        self.assignment.watermark.finish(offsets)

    def set_pauses(self):
        """Nothing to pause."""


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
    answer = type("Answer", (), {"topic": "orders.placed", "partition": 0, "offset": 3, "error": None})()
    recorder.commits.answered(None, [answer])
    for now_s in (20.0, 30.0):
        recorder.commits.send(recorder, now_s)
    assert recorder.committed == [3]
