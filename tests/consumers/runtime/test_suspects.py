"""Who may have killed a worker: any sequence of progress, clean leaves, kills from outside and deaths by a record's own hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.runtime import metadata
from consumers.runtime.local import agent_named
from consumers.runtime.metadata import Hold, Note
from consumers.runtime.suspects import MANY_DEATHS, Suspects, take_over
from tests.support.kits import shop_kit
from tests.support.lives import Life, Log, WorkerDiedError

KIT = shop_kit()
AGENT = agent_named(KIT, "threads")

NUMBERS = st.integers(0, 2**63 - 1)
HOLDS = st.builds(Hold, st.text("0123456789abcdef", min_size=8, max_size=8), NUMBERS, NUMBERS, NUMBERS)
EVENTS = st.sampled_from(["poll", "work", "work", "commit", "commit", "leave", "kill", "append", "append a culprit"])


class Story:
    """What happens to the log's owners; a new one comes whenever one has gone."""

    def __init__(self, kills):
        self.log = Log(KIT, AGENT, kills=kills)
        self.life = Life(self.log)

    def go_on(self, event):
        """Whether a record has killed its worker now."""
        if event == "leave":
            self.life.leave()
        if event in {"leave", "kill"}:
            self.life = Life(self.log)
        if event.startswith("append"):
            self.log.append(kills=event.endswith("culprit"))
        if event in {"poll", "commit"}:
            getattr(self.life, event)()
        return event == "work" and self._works()

    def _works(self):
        try:
            self.life.work()
        except WorkerDiedError:
            self.life = Life(self.log)
            return True
        return False

    def check(self):
        """Nothing is passed over, and nobody is blamed who has not killed a child as often as it may."""
        finished = self.log.handled | self.log.letters
        assert set(range(self.log.committed)) <= finished
        beyond = metadata.decode(self.log.said).done
        assert {self.log.committed + index for index, flag in enumerate(beyond) if flag} <= finished
        assert self.log.letters <= self.log.culprits

    def end(self):
        """Left to itself, until all is done; how many died in a row at most, while the commit stood still."""
        died, longest, stood_at = 0, 0, self.log.committed
        for _ in range(100 + 60 * self.log.high):
            if self.log.committed == self.log.high:
                return longest
            self.go_on("poll")
            if self.go_on("work"):
                died = died + 1 if self.log.committed == stood_at else 1
                longest, stood_at = max(longest, died), self.log.committed
            self.go_on("commit")
            self.check()
        raise AssertionError(f"{self.log.committed} of {self.log.high} are done, by {self.log.owners} owners")


@settings(max_examples=150, deadline=None)
@given(kills=st.lists(st.integers(0, 9).map(lambda n: n == 0), max_size=40), events=st.lists(EVENTS, max_size=60))
def test_whatever_happens_nothing_is_passed_over_and_whatever_kills_is_found_after_few_owners(kills, events):
    story = Story(kills)
    for event in events:
        story.go_on(event)
        story.check()
    assert story.end() <= MANY_DEATHS + 1
    assert story.log.letters == story.log.culprits
    assert story.log.handled == set(range(story.log.high)) - story.log.culprits


@settings(max_examples=100, deadline=None)
@given(events=st.lists(st.sampled_from(["poll", "work", "commit", "kill", "kill", "append"]), max_size=80))
def test_however_often_an_owner_is_killed_from_outside_nothing_is_charged(events):
    story = Story([False] * 20)
    for event in events:
        story.go_on(event)
        assert story.life.assignment.suspects.died == {}
    story.end()
    assert story.log.letters == set()


@given(events=st.lists(st.sampled_from(["poll", "work", "commit", "append", "leave"]), max_size=60))
def test_owners_that_leave_make_nothing_suspect(events):
    story = Story([False] * 20)
    for event in events:
        story.go_on(event)
        assert not story.life.assignment.careful


def test_a_careful_owner_that_is_killed_on_and_on_gets_on_all_the_same():
    """Each lives for no more than one record."""
    story = Story([False] * 30)
    before = -1
    while story.log.committed < story.log.high:
        for event in ("poll", "work", "commit", "kill"):
            story.go_on(event)
        if story.log.owners % 4 == 0:
            assert story.log.committed > before
            before = story.log.committed


def test_the_deaths_of_children_outlive_their_parents():
    story = Story([True])
    for _ in range(MANY_DEATHS + 1):
        for event in ("poll", "work", "commit"):
            story.go_on(event)
    assert story.life.assignment.suspects.died == {0: 1}
    story.go_on("kill")
    assert story.life.assignment.suspects.died == {0: 1}
    story.go_on("leave")
    assert story.life.assignment.careful, "whatever has killed a child is not tried in a worker"
    story.end()
    assert story.log.letters == {0}


def test_an_owners_own_mark_is_nobodys_death():
    said = Note("id", hold=Hold("it", 7, 1, 200))
    assert take_over(said, owner="it", start=7, high=9).deaths == 1
    assert take_over(said, owner="another", start=7, high=9).deaths == 2


@pytest.mark.parametrize(("start", "high"), [(8, 9), (7, 7)])
def test_progress_speaks_for_the_records_and_so_does_an_empty_log(start, high):
    said = Note("id", hold=Hold("it", 7, 5, 200))
    assert take_over(said, owner="another", start=start, high=high) == Hold("another", start)


@given(left=st.integers(1, 30), pieces=st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=20), max_size=6))
def test_no_more_are_suspects_than_may_have_been_in_flight(left, pieces):
    suspects, at, delivered = Suspects(until=10_000, most=left), 0, []
    for gaps in pieces:
        offsets = [at := at + gap for gap in gaps]
        delivered += offsets
        suspects.delivered(offsets)
    assert [offset for offset in delivered if offset < suspects.until] == delivered[:left]


@given(hold=HOLDS, died=st.dictionaries(st.integers(0, 2**40), st.integers(1, 99), max_size=4))
def test_a_mark_and_the_deaths_of_children_survive_their_metadata(hold, died):
    note = Note("id", hold=hold, died=tuple(sorted(died.items())))
    assert metadata.decode(metadata.encode(note)) == note


@given(st.text("0123456789/:,x", max_size=40))
def test_a_mark_that_makes_no_sense_is_none(text):
    told = metadata.decode(f"{metadata.FORMAT} id=x held={text} died={text}")
    assert told.topic_id == "x"
    assert told.hold is None or len(text.split("/")) == len(Hold._fields)
