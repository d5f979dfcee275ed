"""The query of `headrace dlq`: what it reads, what it refuses, what it means."""

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.dead_letters.letters import Letter, LetterId
from streams.dead_letters.query import FIELDS, Query, QueryError, parse_query

NOW_MS = 1_795_341_600_000
words = st.text(st.characters(exclude_categories=("Cs", "Z", "C"), exclude_characters='"'), min_size=1, max_size=20)
phrases = st.text(st.characters(exclude_categories=("Cs",), exclude_characters='"'), min_size=1, max_size=20)


def letter(**changes: object) -> Letter:
    given: dict[str, object] = {
        "id": LetterId("images", "images.uploaded", 0, 17), "has_origin": True, "origin_ms": 0, "key": b"42", "error_class": "TruncatedError",
        "error_message": "the file is cut off", "attempts": 5, "first_failure_ms": NOW_MS - 9, "last_failure_ms": NOW_MS,
        "redrives": 0, "partition": 0, "offset": 3, **changes,
    }  # fmt: skip
    return Letter(**given)  # type: ignore[arg-type]


def query(text: str) -> Query:
    return parse_query(text, now_ms=NOW_MS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "agent:images",
        "error:Truncated",
        "error:truncated",
        'error:"CUT OFF"',
        "error:cut error:Trunc",
        "key:42",
        "topic:images.uploaded",
        "since:@-1h",
        "since:@2026-11-22T10:00:00Z",
        "until:@2026-11-22T10:00:01Z",
        "agent:images error:Trunc key:42 topic:images.uploaded since:@-1m until:@2027-01-01 state:open",
        "  agent:images \t key:42  ",
    ],
)
def test_a_letter_is_meant_when_every_term_holds(text: str) -> None:
    assert query(text).matches(letter())


@pytest.mark.parametrize(
    "text",
    [
        "agent:text",
        "agent:images agent:text",
        "error:Truncated error:nothing",
        "key:4",
        "key:42 key:43",
        "topic:images",
        "until:@2026-11-22T10:00:00Z",
        "since:@2026-11-22T10:00:00.001Z",
        "since:@-1h since:@2026-11-22T10:00:00.001Z",
        "until:@2027-01-01 until:@2026-11-22T10:00:00Z",
        "error:Truncated key:43",
    ],
)
def test_a_letter_is_not_meant_when_one_term_fails(text: str) -> None:
    assert not query(text).matches(letter())


def test_a_key_that_is_no_text_is_searched_in_hex_and_a_missing_one_never_matches() -> None:
    assert query("key:hex:ff00").matches(letter(key=b"\xff\x00"))
    assert not query("key:None").matches(letter(key=None))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", {"open"}),
        ("state:open", {"open"}),
        ("state:redriven", {"redriven"}),
        ("state:discarded", {"discarded"}),
        ("state:all", {"open", "redriven", "discarded"}),
    ],
)
def test_open_letters_are_meant_unless_the_query_names_a_state(text: str, meant: set[str]) -> None:
    assert {state for state in ("open", "redriven", "discarded") if query(text).wants(state)} == meant  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colour:red", "there is no field 'colour'"),
        ("nonsense", "'nonsense' is not of the form field:value"),
        (":x", "is not of the form field:value"),
        ("agent:", "agent: has no value"),
        ('error:""', "error: has no value"),
        ('error:"never closed', "a quotation mark is missing"),
        ('error:"a"b', "a quotation mark is missing, or out of place"),
        ("since:47", "'47' is no time"),
        ("since:start", "'start' is no time"),
        ("until:yesterday", "'yesterday' is no time"),
        ("state:closed", "there is no state 'closed'"),
        ("state:open state:redriven", "no letter is open and redriven at once"),
    ],
)
def test_what_is_no_query_is_refused_and_the_known_fields_are_named(text: str, told: str) -> None:
    with pytest.raises(QueryError) as caught:
        query(text)
    assert told in str(caught.value)
    assert caught.value.exit_code == 2
    assert all(f"{field}:" in str(caught.value) for field in FIELDS)


def test_every_wrong_term_is_told_at_once() -> None:
    with pytest.raises(QueryError) as caught:
        query("colour:red since:47 agent:images")
    assert len(caught.value.problems) == 2


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    with suppress(QueryError):
        query(text).matches(letter())


@given(words, phrases.map("nothing {}".format))
def test_what_is_searched_is_found_quoted_or_not(word: str, phrase: str) -> None:
    given = letter(error_message=f"before {phrase} after", key=word.encode())
    assert query(f'error:"{phrase}"').matches(given)
    assert query(f"key:{word}").matches(given)
    assert query(f'key:"{word}"').matches(given)


@given(
    st.lists(
        st.sampled_from(["agent:images", "agent:text", "error:cut", "error:x", "key:42", "since:@-1h", "until:@-1h"])
    )
)
def test_terms_narrow_and_their_order_does_not_matter(terms: list[str]) -> None:
    together = query(" ".join(terms))
    assert together == query(" ".join(reversed(terms)))
    assert together.matches(letter()) == all(query(term).matches(letter()) for term in terms)


@given(st.text(string.ascii_letters, min_size=1))
def test_the_case_of_an_error_does_not_matter(text: str) -> None:
    assert query(f"error:{text.upper()}").matches(letter(error_class=text.lower()))
    assert query(f"error:{text.lower()}").matches(letter(error_message=text.upper()))
