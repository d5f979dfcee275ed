"""`--where`: a grammar, not a language."""

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import built_in
from streams.replay.where import Condition, Where, WhereError, parse

ACTIVITY = built_in().schemas["headrace.ActivityRecorded"].raw
OPERATORS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
paths = st.lists(names, min_size=1, max_size=3).map(tuple)
plain = st.text(st.characters(exclude_characters='",', exclude_categories=["Z", "C"]), max_size=8).filter(
    lambda text: text[:1] not in {"=", "<", ">"}
)
quoted = st.text(st.characters(exclude_characters='"', exclude_categories=["C"]), max_size=8)
conditions = st.builds(Condition, paths, st.sampled_from(list(OPERATORS)), plain, st.just(False)) | st.builds(
    Condition, paths, st.sampled_from(list(OPERATORS)), quoted, st.just(True)
)


def written(condition: Condition, blank: str) -> str:
    value = f'"{condition.text}"' if condition.quoted else condition.text
    return blank.join([".".join(condition.path), condition.sign, value])


@given(st.lists(conditions, min_size=1, max_size=4), st.sampled_from(["", " "]))
def test_what_is_written_is_what_is_read(given_conditions: list[Condition], blank: str) -> None:
    text = ",".join(written(condition, blank) for condition in given_conditions)
    assert parse(text) == Where(tuple(given_conditions))


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_is_refused_with_the_form(text: str) -> None:
    try:
        parse(text)
    except WhereError as error:
        told = str(error)
    else:
        return
    assert "field=value" in told


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1), st.sampled_from(list(OPERATORS)))
def test_numbers_are_compared_as_numbers_exactly(value: int, wanted: int, sign: str) -> None:
    assert parse(f"n{sign}{wanted}").holds({"n": value}) is OPERATORS[sign](value, wanted)


@given(st.text(max_size=6).filter(lambda text: '"' not in text), st.text(max_size=6))
def test_quoted_text_is_compared_as_text(wanted: str, value: str) -> None:
    assert parse(f'name="{wanted}"').holds({"name": value}) is (wanted == value)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=1, max_size=4))
def test_a_comma_means_and(wanted: list[tuple[str, int]]) -> None:
    fields = {"a": 1, "b": 2, "c": 3}
    text = ",".join(f"{name}={number}" for name, number in wanted)
    assert parse(text).holds(fields) is all(fields[name] == number for name, number in wanted)


@pytest.mark.parametrize(
    ("text", "fields", "holds"),
    [
        ("at>=2026-11-22T10:00:00Z", {"at": "2026-11-22T11:00:00+01:00"}, True),
        ("at<2026-11-22", {"at": "2026-11-22T00:00:00Z"}, False),
        ("deep.er=1", {"deep": {"er": 1}}, True),
        ("deep.er=1", {"deep": None}, False),
        ("author_id=null", {"author_id": None}, True),
        ("author_id!=null", {"author_id": "anna"}, True),
        ("author_id!=anna", {"author_id": None}, True),
        ("author_id>a", {"author_id": None}, False),
        ('name="null"', {"name": "null"}, True),
        ("ok=true", {"ok": True}, True),
        ("ok=1", {"ok": True}, False),
        ("n=1.0", {"n": 1}, True),
        ("n=nan", {"n": 1}, False),
        ("n=__import__('os')", {"n": 1}, False),
    ],
)
def test_values_are_compared_as_what_the_field_is(text: str, fields: dict[str, object], holds: bool) -> None:
    assert parse(text).holds(fields) is holds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kin=purchase", "there is no field kin; there are event_id, occurred_at"),
        ("kind=purchas", "kind is one of"),
        ("duration_ms>fast", "duration_ms is a number, and 'fast' is none"),
        ("occurred_at>yesterday", "occurred_at is a time, and 'yesterday' is none"),
        ("kind.x=1", "kind.x has no fields"),
    ],
)
def test_what_no_record_can_meet_is_refused(text: str, told: str) -> None:
    with pytest.raises(WhereError, match=told):
        parse(text).check(ACTIVITY)


@pytest.mark.parametrize("text", ["kind=purchase,duration_ms>100", "url=/a b", "occurred_at>=2026-11-22", "kind!=view"])
def test_what_records_can_meet_is_accepted(text: str) -> None:
    parse(text).check(ACTIVITY)


@pytest.mark.parametrize(
    "text", ["", "kind", "kind==view", "=view", "kind=view,", 'kind="view', "a b=c", "1=1", "a=1,,b=2"]
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(WhereError, match="cannot read"):
        parse(text)
