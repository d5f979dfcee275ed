"""JSON Lines as events, and events as JSON."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.json_form import from_json, to_json
from producers.lines import LineReader
from schemas.codec import Codec
from schemas.errors import ConfigurationError, InvalidEventError
from schemas.records import ActivityRecorded, ImageUploaded, TextPosted, VariantRequest
from schemas.schema_set import Schema, SchemaSet

SCHEMAS = SchemaSet.load()
MICROS_OF_YEAR_9999 = 253_402_300_799_999_999


def reader(name: str) -> LineReader:
    return LineReader(SCHEMAS[name])


def test_a_line_becomes_the_generated_record() -> None:
    line = {
        "event_id": "e",
        "occurred_at": 5,
        "user_id": "u",
        "kind": "view",
        "url": "/",
        "duration_ms": 3,
        "tags": ["a"],
    }
    assert reader("ActivityRecorded").event(json.dumps(line).encode()) == ActivityRecorded(
        event_id="e", occurred_at=5, user_id="u", kind="view", url="/", duration_ms=3, tags=("a",)
    )


def test_id_and_time_may_be_left_out() -> None:
    first, second = (reader("TextPosted").event(b'{"text_id": "a"}') for _ in range(2))
    assert isinstance(first, TextPosted)
    assert first.event_id != second.event_id
    assert first.occurred_at > 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ('"1970-01-01T00:00:01.000002Z"', 1_000_002),
        ('"1970-01-01T01:00:00+01:00"', 0),
        ('"1970-01-01T00:00:01"', 1_000_000),
        ("7", 7),
    ],
)
def test_a_time_is_a_number_or_iso_8601(written: str, micros: int) -> None:
    event: Any = reader("TextPosted").event(b'{"text_id": "a", "occurred_at": %s}' % written.encode())
    assert event.occurred_at == micros


def test_bytes_are_base64_and_nested_records_are_read() -> None:
    line = b'{"image_id": "i", "content": "AP8=", "variants": [{"name": "v", "width": 1, "height": 2, "fit": "cover", "format": "png"}]}'
    event: Any = reader("ImageUploaded").event(line)
    assert event.content == b"\x00\xff"
    assert event.variants == (VariantRequest(name="v", width=1, height=2, fit="cover", format="png"),)


@pytest.mark.parametrize(
    ("name", "line", "field"),
    [
        ("TextPosted", b'{"text_id": 3}', "text_id"),
        ("TextPosted", b"{}", "text_id"),
        ("TextPosted", b'{"text_id": "a", "txet": "typo"}', "txet"),
        ("TextPosted", b'{"text_id": "a", "occurred_at": "yesterday"}', "occurred_at"),
        ("ActivityRecorded", b'{"user_id": "u", "kind": "stare", "url": "/", "duration_ms": 1}', "kind"),
        ("ActivityRecorded", b'{"user_id": "u", "kind": "view", "url": "/", "duration_ms": 2147483648}', "duration_ms"),
        ("ImageUploaded", b'{"image_id": "i", "variants": [{"nmae": "v"}]}', "variants[0].nmae"),
        ("ImageUploaded", b'{"image_id": "i", "variants": [{"name": 4}]}', "variants[0].name"),
        ("ImageUploaded", b'{"image_id": "i", "content": "no base64"}', "content"),
    ],
)
def test_a_fault_is_told_by_its_field(name: str, line: bytes, field: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        reader(name).event(line)
    # What msgspec finds missing it tells as a part of the whole, with the name in the text.
    assert field in str(caught.value)
    assert caught.value.field in {field, "", field.rpartition(".")[0]}


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"null", b'"text"', b"3", b"\xff\xfe", b"{}{}"])
def test_what_is_no_json_object_is_refused(line: bytes) -> None:
    with pytest.raises(InvalidEventError, match=r"no JSON|object is needed"):
        reader("TextPosted").event(line)


@given(st.integers(0, MICROS_OF_YEAR_9999), st.text(), st.none() | st.text())
def test_an_event_survives_its_way_through_json(occurred_at: int, text_id: str, text: str | None) -> None:
    try:
        text_id.encode(), (text or "").encode()
    except UnicodeEncodeError:
        return
    event = TextPosted(text_id=text_id, occurred_at=occurred_at, text=text)
    plain = msgspec.to_builtins(event, builtin_types=(bytes,))
    shown = to_json(SCHEMAS["TextPosted"].raw)(plain, "")
    assert shown["occurred_at"].endswith("Z")
    assert reader("TextPosted").event(msgspec.json.encode(shown)) == event


@given(st.binary(max_size=50))
def test_any_bytes_survive_their_way_through_json(content: bytes) -> None:
    event = ImageUploaded(image_id="i", content=content)
    shown = to_json(SCHEMAS["ImageUploaded"].raw)(msgspec.to_builtins(event, builtin_types=(bytes,)), "")
    assert reader("ImageUploaded").event(msgspec.json.encode(shown)) == event


ORDER = {
    "type": "record",
    "name": "OrderPlaced",
    "namespace": "kiosk",
    "fields": [
        {"name": "event_id", "type": "string"},
        {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["new", "paid"]}, "default": "new"},
        {"name": "before", "type": ["null", "Status"], "default": None},
        {"name": "due", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}], "default": None},
        {"name": "steps", "type": {"type": "array", "items": {"type": "long", "logicalType": "timestamp-micros"}}, "default": []},
        {"name": "prices", "type": {"type": "map", "values": "double"}, "default": {}},
        {"name": "mark", "type": {"type": "fixed", "name": "Mark", "size": 2}, "default": "\u0000\u00ff"},
        {"name": "payer", "type": ["null", {"type": "record", "name": "Payer", "fields": [{"name": "name", "type": "string"}]}], "default": None},
        {"name": "buyer", "type": "Payer"},
    ],
}  # fmt: skip


def test_a_record_without_a_generated_class_gets_one_from_its_schema() -> None:
    schema = Schema.of(ORDER)
    line = b'{"buyer": {"name": "Ann"}, "due": "1970-01-01T00:00:01Z", "steps": ["1970-01-01T00:00:01Z"], "prices": {"x": 2}}'
    event: Any = LineReader(schema).event(line)
    assert (event.status, event.before, event.mark, event.due, event.steps) == (
        "new",
        None,
        b"\x00\xff",
        1_000,
        (1_000_000,),
    )
    codec = Codec(SchemaSet({schema.name: schema}))
    name, plain = codec.decode_any(codec.encode(event, topic="orders"))
    assert name == "kiosk.OrderPlaced"
    assert plain["buyer"] == {"name": "Ann"}
    assert plain["prices"] == {"x": 2.0}
    shown = to_json(schema.raw)(plain, "")
    assert (shown["due"], shown["steps"]) == ("1970-01-01T00:00:01Z", ["1970-01-01T00:00:01Z"])
    assert LineReader(schema).kind is LineReader(schema).kind


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b'{"buyer": {"name": "Ann"}, "status": "lost"}', "status"),
        (b'{"buyer": {"nmae": "Ann"}}', "buyer.nmae"),
        (b'{"buyer": {"name": "Ann"}, "steps": [1, "x"]}', "steps[1]"),
    ],
)
def test_such_a_record_is_checked_as_well(line: bytes, field: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        LineReader(Schema.of(ORDER)).event(line)
    assert caught.value.field == field


def test_a_union_that_python_cannot_tell_apart_is_a_fault_of_the_schema() -> None:
    parts = [{"type": "record", "name": name, "fields": [{"name": "x", "type": "int"}]} for name in ("A", "B")]
    raw = {"type": "record", "name": "Either", "fields": [*ORDER["fields"][:2], {"name": "part", "type": parts}]}  # type: ignore[index]
    with pytest.raises(ConfigurationError, match="Either"):
        LineReader(Schema.of(raw))


def test_a_timestamp_beyond_the_calendar_is_shown_as_its_number() -> None:
    schema = SCHEMAS["TextPosted"]
    assert to_json(schema.raw)({"occurred_at": 2**62}, "")["occurred_at"] == 2**62
    assert from_json(schema.raw)({"occurred_at": 2**62}, "")["occurred_at"] == 2**62


def test_the_folder_of_schemas_is_all_readable_as_lines() -> None:
    assert {LineReader(schema).kind.__schema_name__ for schema in SCHEMAS} == {schema.name for schema in SCHEMAS}
    assert len(list(Path(SCHEMAS["TextPosted"].path or "").parent.glob("*.avsc"))) == len(SCHEMAS)
