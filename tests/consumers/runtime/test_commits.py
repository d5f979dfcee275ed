"""A commit counts when the broker has answered; one that is never answered is said again."""

import time

from confluent_kafka import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.assignment import Assignment
from consumers.runtime.commits import Commits
from consumers.runtime.local import agent_named
from consumers.runtime.metadata import Hold, Note, decode
from consumers.runtime.offsets import Start
from consumers.runtime.suspects import Suspects
from tests.support.kits import shop_kit

KIT = shop_kit()


class Recorder:
    """A consumer that writes down what it is asked to commit, and a membership of one partition."""

    def __init__(self):
        self.agent = agent_named(KIT, "threads")
        self.assignment = Assignment.of(self.agent, "orders.placed", 0, Note("id"), Start(0), committed=0)
        self.assignments, self.committed = {self.assignment.place: self.assignment}, []
        self.commits = Commits(self.agent, self, in_flight=lambda: 200)

    def commit(self, *, offsets, asynchronous):
        assert asynchronous
        self.committed += [offset.offset for offset in offsets]
        self.told = decode(offsets[-1].metadata)

    def finish(self, *offsets):
        self.assignment.deliver(offsets)
        self.assignment.watermark.finish(offsets)

    def set_pauses(self):
        """Nothing to pause."""


def answer(code, *, offset=3):
    """What the broker says of the commit of this offset; None for that it has it."""
    error = None if code is None else KafkaError(code)
    return type("Answer", (), {"topic": "orders.placed", "partition": 0, "offset": offset, "error": error})()


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


def test_a_commit_that_a_later_one_has_overtaken_turns_the_group_back_and_the_later_one_is_said_again():
    recorder = Recorder()
    recorder.finish(0, 1, 2)
    recorder.commits.send(recorder, 10.0)  # librdkafka keeps it while the coordinator is away
    recorder.finish(3, 4)
    recorder.commits.send(recorder, 10.2)
    recorder.commits.answered(None, [answer(None, offset=5)])
    recorder.commits.answered(None, [answer(None, offset=3)])
    recorder.commits.send(recorder, 10.4)
    assert recorder.committed == [3, 5, 5]
    recorder.commits.answered(None, [answer(None, offset=5)])
    recorder.commits.send(recorder, 20.0)
    assert recorder.committed == [3, 5, 5]


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


def test_the_mark_waits_for_no_interval_where_a_start_was_committed_before_the_first_record_came():
    """Of a new group: with 64 partitions, of which each is fetched after the last, each waited for 0.1 s."""
    recorder = Recorder()
    recorder.assignment.committed = -1
    recorder.assignment.held_by(Hold("it", 0), Suspects())
    recorder.commits.send(recorder, 10.0)
    assert (recorder.committed, recorder.told.hold) == ([0], None)
    recorder.commits.answered(None, [answer(None, offset=0)])
    recorder.assignment.deliver([0])
    for now_s in (10.01, 10.02):
        recorder.commits.send(recorder, now_s)
    assert recorder.committed == [0, 0]
    assert recorder.told.hold == Hold("it", 0, in_flight=256)


def test_an_assignments_first_commit_says_who_holds_it_and_waits_for_no_interval():
    recorder = Recorder()
    recorder.commits.send(recorder, 9.95)
    recorder.assignment.held_by(Hold("it", 0), Suspects())
    recorder.commits.send(recorder, 9.96)
    assert recorder.committed == [], "who has taken nothing can die of nothing: what an earlier owner said still stands"
    recorder.assignment.deliver([0])
    assert recorder.assignment.waits_for_mark(time.monotonic())
    for now_s in (10.0, 10.01):
        recorder.commits.send(recorder, now_s)
    assert recorder.committed == [0]
    assert recorder.told.hold == Hold("it", 0, in_flight=256)
    recorder.commits.answered(None, [answer(None, offset=0)])
    assert not recorder.assignment.waits_for_mark(time.monotonic())


def test_a_coordinator_that_is_away_keeps_no_record_waiting_for_long():
    recorder = Recorder()
    recorder.assignment.held_by(Hold("it", 0), Suspects())
    recorder.assignment.deliver([0])
    for now_s in (10.0, 10.03, 10.06):
        recorder.commits.send(recorder, now_s)
        recorder.commits.answered(None, [answer(KafkaError.COORDINATOR_NOT_AVAILABLE, offset=0)])
    assert recorder.committed == [0, 0], "asked again at the interval"
    assert not recorder.assignment.waits_for_mark(time.monotonic() + 4.0)


def test_an_owner_that_leaves_before_it_has_taken_anything_leaves_the_mark_of_the_one_before():
    recorder = Recorder()
    recorder.assignment.held_by(Hold("it", 0, 1), Suspects())
    recorder.commits.send(recorder, 10.0)
    recorder.assignment.leave()
    assert recorder.assignment.due_commit() is None


def test_the_first_commit_of_a_group_bears_no_mark_while_nothing_is_taken():
    recorder = Recorder()
    recorder.assignment.committed = -1
    recorder.assignment.held_by(Hold("it", 0), Suspects())
    for now_s in (10.0, 10.2):
        recorder.commits.send(recorder, now_s)
    assert (recorder.committed, recorder.told.hold) == ([0], None)
    recorder.commits.answered(None, [answer(None, offset=0)])
    recorder.commits.send(recorder, 10.4)
    assert recorder.committed == [0]
    recorder.assignment.deliver([0])
    assert recorder.assignment.waits_for_mark(time.monotonic())
    recorder.commits.send(recorder, 10.6)
    assert recorder.told.hold.owner == "it"
    recorder.commits.answered(None, [answer(None, offset=0)])
    assert not recorder.assignment.waits_for_mark(time.monotonic())


def test_a_mark_of_its_own_from_before_is_taken_away_by_an_owner_that_leaves_untouched():
    recorder = Recorder()
    recorder.assignment.held_by(Hold("it", 0), Suspects())
    recorder.assignment.note = recorder.assignment.note._replace(hold=Hold("it", 0))
    recorder.commits.send(recorder, 10.0)
    assert recorder.committed == []
    recorder.assignment.leave()
    recorder.commits.send(recorder, 10.2)
    assert (recorder.committed, recorder.told.hold) == ([0], None)


def test_what_is_drained_before_it_is_given_up_is_committed_meanwhile():
    recorder = Recorder()
    leaving = recorder.assignments.pop(recorder.assignment.place)
    recorder.finish(0, 1, 2)
    recorder.commits.send(recorder, 10.0, [leaving])
    assert recorder.committed == [3]


def test_an_owner_that_leaves_takes_its_mark_away_and_leaves_the_deaths_of_children():
    recorder = Recorder()
    recorder.assignment.held_by(Hold("it", 0), Suspects(died=((1, 2), (5, 1))))
    recorder.finish(0, 1, 2)
    recorder.assignment.leave()
    recorder.commits.send(recorder, 10.0)
    assert (recorder.told.hold, recorder.told.died) == (None, ((5, 1),))


def test_the_death_of_a_child_is_told_though_nothing_is_finished():
    recorder = Recorder()
    recorder.assignment.held_by(Hold("it", 0), Suspects())
    recorder.assignment.deliver([0, 4])
    recorder.commits.send(recorder, 10.0)
    recorder.commits.answered(None, [answer(None, offset=0)])
    recorder.assignment.suspects.charge(4, 1)
    recorder.commits.send(recorder, 11.0)
    recorder.commits.answered(None, [answer(KafkaError.COORDINATOR_NOT_AVAILABLE, offset=0)])
    recorder.commits.send(recorder, 12.0)
    assert recorder.told.died == ((4, 1),)
    assert len(recorder.committed) == 3, "what was refused is said again"


@given(done=st.binary(max_size=40).map(lambda raw: bytes(byte & 1 for byte in raw)), delivered=st.integers(0, 50))
def test_what_an_earlier_owner_has_finished_is_told_until_it_is_delivered(done, delivered):
    note = Note("id", done=done)
    assignment = Assignment.of(agent_named(KIT, "threads"), "orders.placed", 0, note, Start(100), committed=100)
    offsets = list(range(100, 100 + delivered))
    assignment.deliver(offsets)
    assignment.watermark.finish([offset for offset in offsets if assignment.is_done(offset)])
    assignment.held_by(Hold("it", 100), Suspects())
    due = assignment.due_commit()
    if due is None:
        assert not delivered, "its last owner's word still stands"
        return
    told = [due.offset + index for index, flag in enumerate(decode(due.metadata).done) if flag]
    finished = [100 + index for index, flag in enumerate(done) if flag]
    assert [*range(100, due.offset), *told] == finished
