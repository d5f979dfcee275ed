"""Where a partition starts, and what is said when its commit means nothing any more."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime import metadata
from consumers.runtime.metadata import Birth, Note
from consumers.runtime.offsets import Committed, Log, birth_of, start_of

LOG = Log("id-1", low=10, high=100)


def start(committed, *, reset="stop"):
    return start_of(committed, LOG, first=70, reset=reset)


def test_a_commit_that_fits_is_where_it_starts():
    assert start(Committed(42, "id-1")).offset == 42


def test_without_a_commit_it_starts_where_the_catalogue_says():
    assert start(None).offset == 70


def test_a_log_whose_reader_is_remembered_but_not_how_far_it_came_stops_it_all_the_same():
    found = start(Committed(-1, "id-0"))
    assert (found.stopped, found.offset) == (True, 0)
    assert "whatever was not handled yet in the old topic is lost" in found.misfit


def test_a_group_was_born_when_its_earliest_commit_says():
    notes = [Note("id-1", Birth(2_000, 4)), Note("id-1"), Note("id-1", Birth(1_000, 2))]
    assert birth_of(notes, LOG, now_ms=9_000) == Birth(1_000, 2)
    assert birth_of([Note("id-1")], LOG, now_ms=9_000) == Birth(9_000, 1)


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
    assert Committed.of(42, "whatever another tool wrote").topic_id is None
    assert Committed.of(-1001, None) is None


tokens = st.text(min_size=1, alphabet=st.characters(exclude_categories=["Z", "C"], exclude_characters="="))


@given(st.none() | tokens, st.none() | st.builds(Birth, st.integers(0, 2**50), st.integers(0, 10_000)))
def test_what_a_commit_says_survives_its_metadata(topic_id, birth):
    assert metadata.decode(metadata.encode(Note(topic_id, birth))) == Note(topic_id, birth)


@given(st.binary(max_size=400).map(lambda raw: bytes(byte % 2 for byte in raw)))
def test_what_is_finished_beyond_a_commit_survives_its_metadata(done):
    told = metadata.decode(metadata.encode(Note("id", Birth(1, 4), done))).done
    assert told == done[: done.rfind(1) + 1]


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_of_20_000_records_in_hand_every_finished_one_fits_into_a_commit(share):
    rng = random.Random(7)
    done = bytes(rng.random() < share for _ in range(20_000))
    said = metadata.encode(Note("AAAAAAAAAAAAAAAAAAAAAA", Birth(1_800_000_000_000, 1024), done))
    assert len(said.encode()) <= metadata.MOST_BYTES
    assert metadata.decode(said).done == done[: done.rfind(1) + 1]


def test_of_more_than_fits_the_first_are_told():
    rng = random.Random(7)
    done = bytes(rng.random() < 0.5 for _ in range(60_000))
    said = metadata.encode(Note("AAAAAAAAAAAAAAAAAAAAAA", Birth(1_800_000_000_000, 1024), done))
    assert len(said.encode()) <= metadata.MOST_BYTES
    assert done.startswith(metadata.decode(said).done)
    assert metadata.fitting(done) < len(done)


@given(st.text(alphabet=st.characters(exclude_categories=["Z", "C"])))
def test_flags_that_make_no_sense_are_none(text):
    assert metadata.decode(f"{metadata.FORMAT} id=x done={text}").topic_id == "x"
    assert set(metadata.decode(f"{metadata.FORMAT} id=x done={text}").done) <= {0, 1}


@given(st.text())
def test_metadata_of_a_foreign_form_say_nothing(text):
    assert metadata.decode(text) == Note()


@given(st.dictionaries(tokens, tokens, max_size=300))
def test_the_logs_a_group_remembers_fit_what_a_broker_takes(ids):
    said = metadata.encode_logs(ids)
    assert len(said) <= metadata.MOST_BYTES
    assert metadata.decode_logs(said).items() <= ids.items()
    if len(ids) < 20:
        assert metadata.decode_logs(said) == ids or len(" ".join(map("=".join, ids.items()))) > 4000
