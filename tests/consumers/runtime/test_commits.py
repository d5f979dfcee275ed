"""A commit counts when the broker has answered; one that is never answered is said again."""

import time

import msgspec
from confluent_kafka import KafkaError

from consumers.runtime import metadata
from consumers.runtime.agent import Executor
from consumers.runtime.assignment import Assignment
from consumers.runtime.commits import Commits
from consumers.runtime.local import agent_named
from consumers.runtime.metadata import Note
from consumers.runtime.offsets import Start
from tests.support.kits import shop_kit


class Recorder:
    """A consumer that writes down what it is asked to commit, and a membership of one partition."""

    def __init__(self, **changes):
        self.agent = msgspec.structs.replace(agent_named(shop_kit(), "threads"), **changes)
        self.assignment = Assignment.of(self.agent, "orders.placed", 0, Note("id"), Start(0), committed=0)
        self.assignments, self.asked = {self.assignment.place: self.assignment}, []
        self.commits = Commits(self.agent, self)

    def commit(self, *, offsets, asynchronous):
        assert asynchronous
        self.asked += offsets

    @property
    def committed(self):
        return [asked.offset for asked in self.asked]

    @property
    def started(self):
        return [metadata.decode(asked.metadata).started for asked in self.asked]

    def answer(self, index=-1, error=None):
        self.commits.answered(error, [self.asked[index]])

    def finish(self, *offsets):
        self.assignment.watermark.deliver(offsets)
        self.assignment.watermark.finish(offsets)

    def set_pauses(self):
        """Nothing to pause."""


def test_a_commit_that_nobody_answers_is_said_again_after_a_while():
    recorder = Recorder()
    recorder.commits.send(recorder, 9.0)
    recorder.answer()
    recorder.finish(0, 1, 2)
    for now_s in (10.0, 11.0, 14.0):
        recorder.commits.send(recorder, now_s)
    assert recorder.committed == [0, 3]
    recorder.commits.send(recorder, 16.0)
    assert recorder.committed == [0, 3, 3]


def test_a_commit_that_was_answered_is_not_said_again():
    recorder = Recorder()
    recorder.finish(0, 1, 2)
    recorder.commits.send(recorder, 10.0)
    assert recorder.assignment.due_commit() is None
    recorder.answer()
    for now_s in (20.0, 30.0):
        recorder.commits.send(recorder, now_s)
    assert recorder.committed == [3]


def test_before_any_record_starts_a_commit_says_how_far_they_may():
    recorder = Recorder()
    recorder.commits.send(recorder, 10.0)
    assert (recorder.committed, recorder.started) == ([0], [200])


def test_records_that_pass_what_was_said_wait_for_no_interval():
    recorder = Recorder()
    recorder.commits.send(recorder, 10.0)
    recorder.assignment.announced.chunk = 8
    recorder.assignment.reached = 192
    recorder.commits.send(recorder, 10.02)
    assert recorder.started == [200], "there is room for the next chunk"
    recorder.assignment.reached = 193
    recorder.commits.send(recorder, 10.02)
    assert recorder.started == [200, 3 * 193]


def test_a_coordinator_that_is_away_is_not_asked_in_haste():
    recorder = Recorder()
    for now_s in (10.0, 10.02, 10.04):
        recorder.commits.send(recorder, now_s)
        recorder.answer(error=KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE))
    assert len(recorder.asked) == 1
    recorder.commits.send(recorder, 10.11)
    assert recorder.started == [recorder.started[0]] * 2, "what it did not take is said again"


def test_an_owner_that_leaves_takes_back_what_it_said():
    recorder = Recorder()
    recorder.commits.send(recorder, 10.0)
    assert metadata.decode(recorder.assignment.last_commit().metadata).started == 0


def test_an_owner_that_leaves_with_suspects_unfinished_leaves_them_suspects():
    recorder = Recorder()
    inherited = Note("id", started=40, deaths=((17, 2),))
    assignment = Assignment.of(recorder.agent, "orders.placed", 0, inherited, Start(0), committed=0)
    assignment.watermark.deliver(range(50))
    assignment.watermark.finish(range(17))
    told = metadata.decode(assignment.last_commit().metadata)
    assert (told.started, told.deaths) == (40, ((17, 2),))
    assignment.watermark.finish(range(17, 50))
    told = metadata.decode(assignment.last_commit().metadata)
    assert (told.started, told.deaths) == (0, ())


def test_what_runs_in_child_processes_is_not_said():
    recorder = Recorder(executor=Executor.PROCESSES)
    recorder.commits.send(recorder, 10.0)
    recorder.finish(0)
    recorder.commits.send(recorder, 11.0)
    assert (recorder.committed, recorder.started) == ([1], [0])


def test_a_broker_that_takes_no_such_metadata_is_told_less_each_time():
    recorder = Recorder()
    recorder.assignment.watermark.deliver((0, 1, 2))
    recorder.assignment.watermark.finish((0, 2))
    refused = KafkaError(KafkaError.OFFSET_METADATA_TOO_LARGE)
    for now_s in (10.0, 11.0, 12.0):
        recorder.commits.send(recorder, now_s)
        recorder.answer(error=refused)
    said = [metadata.decode(asked.metadata) for asked in recorder.asked]
    assert [bool(note.done) for note in said] == [True, False, False]
    assert [bool(note.started) for note in said] == [True, True, False]
    assert recorder.assignment.announced is None


def test_a_member_that_is_refused_on_and_on_as_unknown_is_expelled():
    recorder = Recorder()
    recorder.finish(0, 1, 2)
    recorder.commits.send(recorder, 10.0)
    recorder.answer(error=KafkaError(KafkaError.UNKNOWN_MEMBER_ID))
    now_s = time.monotonic()
    assert not recorder.commits.is_expelled(now_s + 5)
    assert recorder.commits.is_expelled(now_s + 15)


def test_a_member_whose_commit_is_taken_again_is_not_expelled():
    recorder = Recorder()
    recorder.finish(0, 1, 2)
    recorder.commits.send(recorder, 10.0)
    recorder.answer(error=KafkaError(KafkaError.UNKNOWN_MEMBER_ID))
    recorder.commits.send(recorder, 11.0)
    recorder.answer()
    assert not recorder.commits.is_expelled(time.monotonic() + 60)


def test_a_commit_that_is_refused_for_another_reason_expels_nobody():
    recorder = Recorder()
    recorder.finish(0, 1, 2)
    recorder.commits.send(recorder, 10.0)
    recorder.answer(error=KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS))
    assert not recorder.commits.is_expelled(time.monotonic() + 60)
