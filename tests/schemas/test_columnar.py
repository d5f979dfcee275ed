"""Columns are what decoding one by one would have given, whatever stands beside it."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import framing, wire
from schemas.codec import Codec
from schemas.columnar import Columns
from schemas.errors import DecodeError, NotColumnarError
from schemas.event import Event
from schemas.finish import dtype_of
from schemas.records import ActivityRecorded, TextPosted
from schemas.schema_set import Schema, SchemaSet
from tests.support import avro

CODEC = Codec(SchemaSet.load())


def _activity(number: int) -> ActivityRecorded:
    return ActivityRecorded(
        event_id=f"e{number}", occurred_at=number, user_id=f"u{number}", kind="purchase", url="/", duration_ms=number,
        value=number / 2 if number % 2 else None, tags=("a",) * (number % 3),
    )  # fmt: skip


def _values(count: int) -> list[bytes]:
    return [CODEC.encode(_activity(number), topic="t") for number in range(count)]


def _same(cell: Any, value: Any) -> bool:
    """Whether a cell is the value; a map is a list of key and value in columns."""
    if isinstance(value, dict) and isinstance(cell, list):
        return _same({entry["key"]: entry["value"] for entry in cell}, value)
    if isinstance(value, dict) and isinstance(cell, dict):
        return cell.keys() == value.keys() and all(_same(cell[name], value[name]) for name in value)
    if isinstance(value, list | tuple):
        return len(cell) == len(value) and all(map(_same, cell, value))
    return bool(cell == value) and type(cell) is type(value)


def _alone(codec: Codec, value: bytes, reader: type[Event]) -> Event | DecodeError:
    try:
        return codec.decode(value, reader)
    except DecodeError as error:
        return error


def _check(codec: Codec, values: Sequence[bytes], reader: type[Event]) -> Columns:
    """Columns of values beside each value decoded alone.

    Only a record that is not in canonical form may differ: of an index of a nullable that is neither branch, each
    decoder makes something of its own, within that record.
    """
    columns = codec.columns(values, reader)
    assert list(columns.good) == sorted(columns.good)
    assert columns.frame.height == len(columns.good)
    assert sorted([*columns.good, *columns.bad]) == list(range(len(values)))
    rows = dict(zip(columns.good, columns.frame.to_dicts(), strict=True))
    for index, value in enumerate(values):
        alone = _alone(codec, value, reader)
        if isinstance(alone, DecodeError):
            assert index in columns.bad or "IndexError" in alone.reason
        elif codec.encode(alone, topic="t") == value:
            assert index not in columns.bad
            assert _same(rows[index], msgspec.to_builtins(alone, builtin_types=(bytes,)))
    return columns


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_columns_equal_one_by_one_for_random_schemas_and_records(data: st.DataObject) -> None:
    raw = data.draw(avro.schemas())
    codec, kind = avro.codec_and_type(raw)
    events = data.draw(st.lists(avro.values(raw), max_size=6))
    columns = _check(codec, [codec.encode(avro.event(event, kind), topic="t") for event in events], kind)
    assert not columns.bad
    expected = {name: dtype_of(node) for name, node in wire.tree(raw).fields}
    assert dict(columns.frame.schema) == expected


@st.composite
def corrupted(draw: st.DrawFn) -> list[bytes]:
    """Good values, some of them broken in ways that would shift their neighbours."""
    values = _values(draw(st.integers(1, 60)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(values) - 1))
        good = values[place] or b"was broken before"
        where = draw(st.integers(0, len(good) - 1))
        junk = draw(st.binary(min_size=1, max_size=9))
        broken = [
            good[:where], good + b"\x00\x00", good + junk, good[:where] + junk + good[where:], good[:10] + junk,
            good[:where] + junk + good[where + len(junk) :], good[:where] + good[where + 1 :], junk, b"",
        ]  # fmt: skip
        chosen = draw(st.sampled_from(broken))
        # What begins with 00 asks for a registry, and there is none here: that is no fault of the record.
        values[place] = b"\x01" + chosen[1:] if chosen[:1] == b"\x00" else chosen
    return values


@settings(max_examples=200, deadline=None)
@given(corrupted())
def test_columns_equal_one_by_one_beside_corrupt_records(values: list[bytes]) -> None:
    _check(CODEC, values, ActivityRecorded)


@settings(max_examples=60, deadline=None)
@given(avro.one_corrupt())
def test_corrupt_records_of_random_schemas_never_touch_their_neighbours(
    corrupt: tuple[Codec, type[Event], list[bytes], int],
) -> None:
    codec, kind, values, _ = corrupt
    _check(codec, values, kind)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_chosen_fields_are_those_columns_and_no_others_for_random_schemas_and_records(data: st.DataObject) -> None:
    raw = data.draw(avro.schemas())
    codec, kind = avro.codec_and_type(raw)
    values = [
        codec.encode(avro.event(each, kind), topic="t") for each in data.draw(st.lists(avro.values(raw), max_size=6))
    ]
    names = [name for name, _ in wire.tree(raw).fields]
    fields = tuple(data.draw(st.lists(st.sampled_from(names), unique=True)))
    chosen = codec.columns(values, kind, fields)
    assert (list(chosen.good), chosen.bad) == (list(range(len(values))), {})
    assert chosen.frame.columns == [name for name in names if name in fields]
    if fields:  # a frame without columns has no height
        assert chosen.frame.to_dicts() == codec.columns(values, kind).frame.select(chosen.frame.columns).to_dicts()


@settings(max_examples=200, deadline=None)
@given(corrupted())
def test_of_chosen_fields_a_record_fares_alone_as_it_fares_in_company(values: list[bytes]) -> None:
    fields = ("kind", "occurred_at")
    together = CODEC.columns(values, ActivityRecorded, fields)
    alone = [CODEC.columns([value], ActivityRecorded, fields) for value in values]
    assert list(together.good) == [index for index, columns in enumerate(alone) if columns.good]
    assert together.frame.to_dicts() == [row for columns in alone for row in columns.frame.to_dicts()]
    whole = CODEC.columns(values, ActivityRecorded)
    assert set(whole.good) <= set(together.good)
    rows = dict(zip(together.good, together.frame.iter_rows(), strict=True))
    assert [rows[index] for index in whole.good] == whole.frame.select(together.frame.columns).rows()


@pytest.mark.parametrize("count", [1, 20, 40, 300])
def test_what_a_field_holds_that_nobody_wants_is_not_looked_at_in_any_company(count: int) -> None:
    values = _values(count)
    values[-1] = values[-1].replace(b"u%d" % (count - 1), b"u" + b"\xff" * (len(str(count - 1))))
    assert list(CODEC.columns(values, ActivityRecorded).bad) == [count - 1]
    assert CODEC.columns(values, ActivityRecorded, ("kind", "occurred_at")).bad == {}
    values[0] = values[0] + b"\0"
    assert list(CODEC.columns(values, ActivityRecorded, ("kind", "occurred_at")).bad) == [0]


def test_a_body_with_two_bytes_too_many_shifts_nothing() -> None:
    values = _values(40)
    values[20] += b"\x00\x00"
    columns = _check(CODEC, values, ActivityRecorded)
    assert list(columns.bad) == [20]
    assert columns.bad[20].raw == values[20]


def test_many_culprits_are_all_found() -> None:
    values = [value[:-1] if number % 3 else value for number, value in enumerate(_values(300))]
    columns = _check(CODEC, values, ActivityRecorded)
    assert list(columns.good) == list(range(0, 300, 3))


def test_no_values_give_an_empty_frame_with_all_columns() -> None:
    columns = CODEC.columns([], ActivityRecorded)
    assert columns.frame.columns == [field["name"] for field in CODEC.schemas["ActivityRecorded"].raw["fields"]]
    assert (columns.frame.height, columns.good, columns.bad) == (0, [], {})


def test_only_bad_values_give_an_empty_frame_of_the_same_types() -> None:
    columns = CODEC.columns([b"junk", b""], ActivityRecorded)
    assert sorted(columns.bad) == [0, 1]
    assert columns.frame.schema == CODEC.columns(_values(2), ActivityRecorded).frame.schema


def test_values_of_another_record_are_bad() -> None:
    foreign = CODEC.encode(TextPosted(text_id="a"), topic="t")
    columns = CODEC.columns([*_values(3), foreign], ActivityRecorded)
    assert list(columns.good) == [0, 1, 2]
    assert "it is a headrace.TextPosted" in str(columns.bad[3])


def test_a_value_above_the_bound_is_bad() -> None:
    small = Codec(CODEC.schemas, max_value_bytes=60)
    large = CODEC.encode(msgspec.structs.replace(_activity(1), url="/" * 200), topic="t")
    columns = small.columns([*_values(2), large], ActivityRecorded)
    assert list(columns.good) == [0, 1]
    assert "more than the 60 bytes" in str(columns.bad[2])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), max_size=40))
def test_records_of_several_writers_keep_their_order(newer: list[bool]) -> None:
    old = Schema.of(avro.event_schema({"name": "n", "type": "int"}))
    new = Schema.of(
        avro.event_schema({"name": "n", "type": "long"}, {"name": "more", "type": "string", "default": "d"})
    )
    schemas = SchemaSet({new.name: new}, [old])
    former = Codec(SchemaSet({old.name: old}))
    current = Codec(schemas)
    old_kind, kind = (avro.module_of(each).Thing for each in (former.schemas, schemas))
    values = [
        current.encode(kind(n=number, more="x"), topic="t")
        if is_newer
        else former.encode(old_kind(n=number), topic="t")
        for number, is_newer in enumerate(newer)
    ]
    frame = current.columns(values, kind).frame
    assert frame.get_column("n").to_list() == list(range(len(newer)))
    assert frame.get_column("more").to_list() == ["x" if is_newer else "d" for is_newer in newer]


def test_a_reader_that_cannot_be_columns_is_refused_by_name() -> None:
    codec, kind = avro.codec_and_type(avro.event_schema({"name": "either", "type": ["null", "string", "long"]}))
    with pytest.raises(NotColumnarError, match="a union of 3 branches"):
        codec.columns([], kind)


@pytest.mark.parametrize(("kind", "forged"), [("boolean", b"\x0e"), ("int", b"\x80\x80\x80\x80\x20")])
def test_a_number_out_of_its_range_is_never_wrapped(kind: str, forged: bytes) -> None:
    codec, reader = avro.codec_and_type(avro.event_schema({"name": "n", "type": kind}))
    prefix = framing.single_object_prefix(codec.schemas["Thing"].fingerprint)
    value = prefix + b"\x02e\x02" + forged
    good = codec.encode(reader(event_id="e", occurred_at=1, n=False if kind == "boolean" else 1), topic="t")
    columns = codec.columns([good, value, good], reader)
    alone = codec.columns([value], reader)
    if kind == "int":
        assert list(columns.bad) == [1]
        assert list(alone.bad) == [0]
    else:  # as fastavro has it: whatever is not 0 is true
        assert columns.frame.get_column("n").to_list() == [False, True, False]
