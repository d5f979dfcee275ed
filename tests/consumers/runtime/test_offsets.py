"""Where a partition starts, and what is said when its commit means nothing any more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime import metadata
from consumers.runtime.offsets import Committed, Log, start_of

LOG = Log("id-1", low=10, high=100)


def start(committed, *, begin="earliest", reset="stop", new=True):
    return start_of(committed, LOG, start=begin, reset=reset, group_is_new=new)


def test_a_commit_that_fits_is_where_it_starts():
    assert start(Committed(42, "id-1")).offset == 42


@pytest.mark.parametrize(("begin", "offset"), [("earliest", 10), ("latest", 100)])
def test_a_new_group_starts_where_the_catalogue_says(begin, offset):
    assert start(None, begin=begin).offset == offset


def test_a_partition_added_later_starts_at_its_beginning_even_for_latest():
    assert start(None, begin="latest", new=False).offset == 10


@pytest.mark.parametrize(
    ("committed", "words"),
    [
        (Committed(42, "id-0"), "deleted and made again"),
        (Committed(3, "id-1"), "offsets 3 to 9 are lost"),
        (Committed(101, "id-1"), "past the log's end 100"),
        (Committed(101, None), "past the log's end 100"),
    ],
)
def test_a_commit_that_does_not_fit_stops_the_partition_and_names_what_is_lost(committed, words):
    found = start(committed)
    assert found.stopped
    assert words in found.misfit


@pytest.mark.parametrize(("reset", "offset"), [("earliest", 10), ("latest", 100)])
def test_a_policy_may_go_on_but_the_loss_is_still_said(reset, offset):
    found = start(Committed(3, "id-1"), reset=reset)
    assert (found.offset, found.stopped) == (offset, False)
    assert "lost" in found.misfit


def test_a_commit_of_a_foreign_form_is_taken_without_its_metadata():
    assert Committed.of(42, "whatever another tool wrote") == Committed(42, None)
    assert Committed.of(-1001, None) is None


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Z", "C"])))
def test_the_topic_id_survives_the_metadata(topic_id):
    assert metadata.topic_id_of(metadata.encode(topic_id)) == topic_id
