"""The memory that a child shares with its parent: whatever is cut off wherever, what is read is a prefix of what was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.executors.area import Area, Reader, Writer
from consumers.runtime.record import HELD, Failed, Handled, Result

AREA_BYTES = 80_000
LARGE_BYTES = 100_000

results = st.builds(Result, topic=st.just("t"), value=st.integers(0, LARGE_BYTES).map(bytes))
outcomes = st.lists(
    st.one_of(
        st.builds(Handled, elapsed_us=st.integers(0, 10**12)),
        st.builds(Handled, results=st.tuples(results), elapsed_us=st.integers(0, 600)),
        st.builds(Failed, kind=st.just("unexpected"), error_class=st.text(max_size=9), message=st.text(max_size=9)),
        st.just(HELD),
    ),
    max_size=20,
)
LONGEST_US = 0xFFFF_FFFE - 2


class DiedError(Exception):
    """The child is no more."""


class Both:
    """Both sides of an area, and a pipe that breaks after so many messages: with the last one, or just before it is sent."""

    def __init__(self, records, *, dies_at=None, sends_last=True):
        self.area = Area(memoryview(bytearray(AREA_BYTES)))
        assert self.area.prepare(records, b"request")
        self.reader = Reader(self.area)
        self.writer = Writer(self.area, self.flush)
        self.dies_at, self.sends_last, self.sent = dies_at, sends_last, 0

    def flush(self, content):
        if self.sent == self.dies_at and not self.sends_last:
            raise DiedError
        self.reader.flushed += content
        self.sent += 1
        if self.sent - 1 == self.dies_at:
            raise DiedError


def as_read(outcome):
    """A mark has room for an hour."""
    longest = isinstance(outcome, Handled) and not outcome.results and outcome.elapsed_us > LONGEST_US
    return Handled((), LONGEST_US) if longest else outcome


@given(outcomes)
def test_at_any_time_what_is_finished_so_far_is_read(written):
    both = Both(len(written) + 1)
    for count, outcome in enumerate(written, start=1):
        assert both.reader.running()[0] == count - 1
        both.writer.add(outcome)
        assert both.reader.outcomes() == [as_read(each) for each in written[:count]]
    assert bytes(both.area.request) == b"request"


@given(outcomes, st.integers(0, 8), st.booleans())
def test_a_child_that_dies_in_the_pipe_leaves_a_prefix(written, dies_at, sends_last):
    both = Both(len(written), dies_at=dies_at, sends_last=sends_last)
    count = 0
    try:
        for outcome in written:
            both.writer.add(outcome)
            count += 1
    except DiedError:
        pass
    assert both.reader.outcomes() == [as_read(each) for each in written[:count]]


@given(outcomes, st.data())
def test_what_has_no_mark_is_not_read_whatever_stands_in_the_stream(written, data):
    """A torn write: the marks end somewhere, and behind what they stand for everything may be garbage."""
    both = Both(len(written))
    for outcome in written:
        both.writer.add(outcome)
    count = data.draw(st.integers(0, len(written)))
    torn = Both(len(written))
    for outcome in written[:count]:
        torn.writer.add(outcome)
    marks, stream = torn.area.marks, torn.area.stream
    assert marks.tolist()[:count] == both.area.marks.tolist()[:count]
    end = torn.writer._end
    garbage = data.draw(st.binary(max_size=200))[: len(stream) - end]
    stream[end : end + len(garbage)] = garbage
    assert torn.reader.outcomes() == [as_read(each) for each in written[:count]]


def test_an_area_is_as_new_for_its_next_chunk():
    both = Both(3)
    both.writer.start()
    for _ in range(3):
        both.writer.add(Handled((), 7))
    assert both.area.prepare(5, b"")
    assert Reader(both.area).running() == (0, 0.0)
    assert Reader(both.area).outcomes() == []


def test_a_request_that_is_too_long_is_left_to_the_pipe():
    area = Area(memoryview(bytearray(AREA_BYTES)))
    assert not area.prepare(10, bytes(AREA_BYTES))
    assert area.request is None


def test_a_chunk_of_more_records_than_there_is_room_for_is_refused():
    with pytest.raises(ValueError, match="80000 records"):
        Area(memoryview(bytearray(AREA_BYTES))).prepare(AREA_BYTES, b"")
