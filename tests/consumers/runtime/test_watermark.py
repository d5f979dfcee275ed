"""The watermark against a model that is plainly right: sets of offsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.watermark import Watermark

gaps = st.lists(st.integers(1, 4), min_size=1, max_size=60)


@st.composite
def histories(draw):
    """A start, batches of rising offsets with gaps, and an order in which some of them are finished."""
    start = draw(st.integers(0, 50))
    offsets, last = [], start - 1
    for gap in draw(gaps):
        last += gap
        offsets.append(last)
    cuts = sorted(draw(st.sets(st.integers(0, len(offsets)), max_size=6)))
    batches = [offsets[a:b] for a, b in zip([0, *cuts], [*cuts, len(offsets)], strict=True) if a < b]
    finished = draw(st.lists(st.sampled_from(offsets), unique=True))
    return start, batches, finished


@given(histories())
def test_the_commit_is_never_ahead_of_the_lowest_unfinished_offset(history):
    start, batches, finished = history
    watermark = Watermark(start)
    for batch in batches:
        watermark.deliver(batch)
    open_offsets = {offset for batch in batches for offset in batch}
    last = max(open_offsets)
    for offset in finished:
        watermark.finish([offset])
        open_offsets.discard(offset)
        assert watermark.committable == (min(open_offsets) if open_offsets else last + 1)
        assert watermark.unfinished == len(open_offsets)


@given(histories())
def test_the_flags_beyond_are_exactly_the_finished_offsets_from_the_commit_on(history):
    start, batches, finished = history
    watermark = Watermark(start)
    for batch in batches:
        watermark.deliver(batch)
    watermark.finish(finished)
    flags, begin = watermark.flags_beyond(), watermark.committable
    told = {begin + index for index, flag in enumerate(flags) if flag == 1}
    delivered = {offset for batch in batches for offset in batch}
    assert told & delivered == {offset for offset in finished if offset >= begin}
    assert not flags or flags[-1] == 1
    assert begin not in told & delivered


@given(histories())
def test_batches_may_be_finished_while_later_ones_arrive(history):
    start, batches, _ = history
    watermark = Watermark(start)
    for batch in batches:
        watermark.deliver(batch)
        watermark.finish(batch)
        assert watermark.committable == batch[-1] + 1


def test_an_offset_is_finished_once():
    watermark = Watermark(0)
    watermark.deliver([0, 1])
    watermark.finish([1])
    with pytest.raises(ValueError, match="finished already"):
        watermark.finish([1])


def test_an_offset_that_was_not_delivered_cannot_be_finished():
    watermark = Watermark(0)
    watermark.deliver([0, 2])
    with pytest.raises(ValueError, match="not delivered"):
        watermark.finish([1])


def test_a_run_that_begins_below_what_was_delivered_finishes_nothing():
    watermark = Watermark(0)
    watermark.deliver(range(10, 20))
    with pytest.raises(ValueError, match="8 was not delivered"):
        watermark.finish([8, 9, 10, 11])
    assert watermark.unfinished == 10


@pytest.mark.parametrize("again", [[1], [2, 1], [0]])
def test_an_offset_is_delivered_once_and_in_order(again):
    watermark = Watermark(0)
    watermark.deliver([0, 1])
    with pytest.raises(ValueError, match="delivered after"):
        watermark.deliver(again)


def test_the_end_of_the_log_is_committed_only_when_nothing_is_open():
    watermark = Watermark(5)
    watermark.deliver([5])
    watermark.skip_to(9)
    assert watermark.committable == 5
    watermark.finish([5])
    watermark.skip_to(9)
    assert watermark.committable == 9


def test_a_delivery_is_held_open_until_all_below_its_end_is_finished():
    mark = Watermark(0)
    mark.deliver(range(3))
    mark.deliver([3, 5])
    mark.finish([1, 2, 3])
    assert mark.held_open == 5
    mark.finish([0])
    assert mark.held_open == 2
    mark.finish([5])
    mark.skip_to(9)
    assert mark.held_open == 0
    mark.deliver(range(9, 12))
    assert mark.held_open == 3
