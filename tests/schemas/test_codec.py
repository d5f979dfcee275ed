from contextlib import suppress
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import framing
from schemas.codec import Codec, EventTooLargeError
from schemas.errors import (
    DecodeError,
    InvalidEventError,
    RegistryUnavailableError,
    SchemaIdUnknownError,
    SchemaNotFoundError,
)
from schemas.event import Event
from schemas.origin import Origin
from schemas.records import ActivityRecorded, ImageUploaded, TextPosted, VariantRequest
from schemas.schema_set import Schema, SchemaSet
from tests.support import avro

CODEC = Codec(SchemaSet.load())
TEXT = TextPosted(text_id="a", text="grüß Gott", event_id="e", occurred_at=1_700_000_000_000_000)
IMAGE = ImageUploaded(
    image_id="i",
    content=b"\x00\xff",
    variants=(VariantRequest("thumb", 100, 75, "cover", "webp"),),
    event_id="e",
    occurred_at=1,
)
ACTIVITY = ActivityRecorded(
    user_id="u", kind="click", url="/", duration_ms=3, value=1.5, tags=("a", "b"), event_id="e", occurred_at=1
)


class OneSchemaRegistry:
    """A registry that knows one schema; the real one is in test_registry.py."""

    def __init__(self, schema: Schema) -> None:
        self.known = schema

    def register(self, subject: str, schema: Schema) -> int:
        assert subject.endswith("-value")
        assert schema is self.known
        return 7

    def schema(self, schema_id: int) -> Schema:
        if schema_id != 7:
            raise SchemaNotFoundError("unknown")
        return self.known


@pytest.mark.parametrize("event", [TEXT, IMAGE, ACTIVITY], ids=lambda event: type(event).__name__)
def test_what_is_encoded_is_decoded(event: Event) -> None:
    assert CODEC.decode(CODEC.encode(event, topic="t"), type(event)) == event


def test_without_a_registry_the_single_object_encoding_is_written() -> None:
    value = CODEC.encode(TEXT, topic="t")
    assert value[:2] == b"\xc3\x01"
    assert value[2:10] == CODEC.schemas["TextPosted"].fingerprint


def test_with_a_registry_the_confluent_format_is_written_and_both_are_read() -> None:
    registered = Codec(CODEC.schemas, registry=OneSchemaRegistry(CODEC.schemas["TextPosted"]))
    value = registered.encode(TEXT, topic="t")
    assert value[:5] == b"\x00\x00\x00\x00\x07"
    assert registered.decode(value, TextPosted) == TEXT
    assert registered.decode(CODEC.encode(TEXT, topic="t"), TextPosted) == TEXT


def test_a_timestamp_stays_a_number() -> None:
    assert CODEC.decode_any(CODEC.encode(TEXT, topic="t")) == (
        "headrace.TextPosted",
        {**msgspec.structs.asdict(TEXT), "occurred_at": 1_700_000_000_000_000},
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_events_of_random_schemas_survive(data: st.DataObject) -> None:
    raw = data.draw(avro.schemas())
    codec, kind = avro.codec_and_type(raw)
    event = avro.event(data.draw(avro.values(raw)), kind)
    assert codec.decode(codec.encode(event, topic="t"), kind) == event


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user_id": 3}, "user_id"),
        ({"user_id": None}, "user_id"),
        ({"user_id": b"bytes"}, "user_id"),
        ({"kind": "sleep"}, "kind"),
        ({"duration_ms": 2**31}, "duration_ms"),
        ({"duration_ms": 3.5}, "duration_ms"),
        ({"occurred_at": 2**63}, "occurred_at"),
        ({"value": "much"}, "value"),
        ({"tags": ("a", 3)}, "tags[1]"),
        ({"url": "\ud800"}, "url"),
        ({"tags": ("\udfff",)}, "tags"),
    ],
)
def test_an_invalid_event_is_refused_with_the_name_of_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        CODEC.encode(msgspec.structs.replace(ACTIVITY, **change), topic="t")
    assert caught.value.field == field
    assert f"ActivityRecorded.{field}: " in str(caught.value)


def test_the_field_of_a_nested_record_is_named_by_its_path() -> None:
    wrong = msgspec.structs.replace(IMAGE, variants=(VariantRequest("thumb", 100, 2**40, "cover", "webp"),))
    with pytest.raises(InvalidEventError, match=r"ImageUploaded\.variants\[0\]\.height"):
        CODEC.encode(wrong, topic="t")


def test_an_event_that_no_consumer_would_accept_is_refused_by_the_encoder() -> None:
    with pytest.raises(EventTooLargeError, match="send large payloads by reference"):
        CODEC.encode(TextPosted(text_id="a", text="x" * (1 << 20)), topic="t")


def test_a_value_above_the_bound_is_refused_before_decoding() -> None:
    small = Codec(CODEC.schemas, max_value_bytes=10)
    with pytest.raises(DecodeError, match="more than the 10 bytes allowed"):
        small.decode(CODEC.encode(TEXT, topic="t"), TextPosted)


def test_the_error_carries_the_bytes_and_where_they_came_from() -> None:
    with pytest.raises(DecodeError) as caught:
        CODEC.decode(b"junk", TextPosted, origin=Origin("texts.posted", 3, 42, 0))
    error = caught.value
    assert (error.raw, error.topic, error.partition, error.offset) == (b"junk", "texts.posted", 3, 42)
    assert str(error) == "texts.posted [3] @ 42: cannot decode 4 bytes: it begins with 6a75, neither 00 nor c301"


@pytest.mark.parametrize(
    "value", [b"", b"\xc3", b"\xc3\x01", b"\xc3\x01" + bytes(7), b"\x00", b"\x00\x00\x00\x01", b"\x01abcdefghijk"]
)
def test_a_wrong_or_short_magic_is_a_decode_error(value: bytes) -> None:
    with pytest.raises(DecodeError, match="it begins with"):
        CODEC.decode(value, TextPosted)


def test_an_unknown_fingerprint_is_a_decode_error_that_names_it() -> None:
    with pytest.raises(DecodeError, match=r"fingerprint 0000000000000000; is a version missing from history/\?"):
        CODEC.decode(b"\xc3\x01" + bytes(8), TextPosted)


def test_a_schema_id_without_a_registry_is_no_poison() -> None:
    with pytest.raises(RegistryUnavailableError, match="set SCHEMA_REGISTRY_URL"):
        CODEC.decode(framing.confluent_prefix(7) + b"abc", TextPosted)


def test_a_schema_id_that_the_registry_does_not_know_is_its_own_error() -> None:
    codec = Codec(CODEC.schemas, registry=OneSchemaRegistry(CODEC.schemas["TextPosted"]))
    with pytest.raises(SchemaIdUnknownError) as caught:
        codec.decode(framing.confluent_prefix(8) + b"abc", TextPosted)
    assert caught.value.schema_id == 8


def test_a_registered_schema_that_could_end_the_process_is_refused() -> None:
    class Hostile(OneSchemaRegistry):
        def schema(self, schema_id: int) -> Schema:
            return Schema.of({"type": "array", "items": "null"})

    codec = Codec(CODEC.schemas, registry=Hostile(CODEC.schemas["TextPosted"]))
    with pytest.raises(DecodeError, match="schema id 7 is refused: schema: items of zero bytes"):
        codec.decode(framing.confluent_prefix(7) + b"\xff\xff\xff\xff\x0f", TextPosted)


def test_bytes_after_the_record_are_an_error() -> None:
    with pytest.raises(DecodeError, match="2 bytes stand after the record"):
        CODEC.decode(CODEC.encode(TEXT, topic="t") + b"ab", TextPosted)


def test_another_record_than_the_readers_is_an_error_that_names_both() -> None:
    with pytest.raises(DecodeError, match=r"it is a headrace\.ImageUploaded, not a headrace\.TextPosted"):
        CODEC.decode(CODEC.encode(IMAGE, topic="t"), TextPosted)


def test_an_int_that_does_not_fit_32_bits_is_an_error() -> None:
    codec, kind = avro.codec_and_type(avro.event_schema({"name": "n", "type": "int"}))
    wide = Schema.of(avro.event_schema({"name": "n", "type": "long"}))
    value = Codec(SchemaSet({wide.name: wide})).encode(_event(wide, n=2**40), topic="t")
    forged = framing.single_object_prefix(codec.schemas["Thing"].fingerprint) + value[10:]
    with pytest.raises(DecodeError, match=r"\$\.n"):
        codec.decode(forged, kind)


def _event(schema: Schema, **fields: Any) -> Any:
    kind = avro.module_of(SchemaSet({schema.name: schema})).Thing
    return kind(event_id="e", occurred_at=1, **fields)


def test_a_nullable_list_of_two_texts_is_no_tagged_union() -> None:
    codec, kind = avro.codec_and_type(
        avro.event_schema({"name": "tags", "type": ["null", {"type": "array", "items": "string"}]})
    )
    event = kind(event_id="e", occurred_at=1, tags=("null", "string"))
    assert codec.decode(codec.encode(event, topic="t"), kind) == event


def test_an_older_record_is_read_in_the_readers_form() -> None:
    old = Schema.of(avro.event_schema({"name": "n", "type": "int"}, {"name": "gone", "type": "string"}))
    new = Schema.of(
        avro.event_schema({"name": "n", "type": "long"}, {"name": "more", "type": "string", "default": "d"})
    )
    value = Codec(SchemaSet({old.name: old})).encode(_event(old, n=5, gone="x"), topic="t")
    codec = Codec(SchemaSet({new.name: new}, [old]))
    event = codec.decode(value, type(_event(new, n=0)))
    assert (event.n, event.more) == (5, "d")
    assert codec.decode_any(value)[1]["gone"] == "x"
    for broken in (value[:-1], value + b"x"):
        with pytest.raises(DecodeError, match=r"cut off|1 bytes stand after"):
            codec.decode(broken, type(event))


@st.composite
def hostile(draw: st.DrawFn) -> bytes:
    """A good value, truncated, flipped, lengthened, under a foreign prefix, or nothing of the kind."""
    good = CODEC.encode(draw(st.sampled_from([TEXT, IMAGE, ACTIVITY])), topic="t")
    where = draw(st.integers(0, len(good) - 1))
    junk = draw(st.binary(min_size=1, max_size=12))
    return draw(
        st.sampled_from(
            [
                good[:where],
                good[:where] + bytes([good[where] ^ junk[0]]) + good[where + 1 :],
                good[:where] + junk + good[where:],
                good[:10] + junk,
                junk + good[10:],
                good[:10] + b"\xff" * len(junk) + good[10:],
                framing.CONFLUENT + good[1:],
                junk,
            ]
        )
    )


@settings(max_examples=600, deadline=None)
@given(hostile(), st.sampled_from([TextPosted, ImageUploaded, ActivityRecorded]))
def test_hostile_bytes_give_a_record_or_a_decode_error_and_nothing_else(value: bytes, reader: type[Event]) -> None:
    codec = Codec(CODEC.schemas, registry=OneSchemaRegistry(CODEC.schemas["TextPosted"]))
    for decode in (lambda: codec.decode(value, reader), lambda: codec.decode_any(value)):
        with suppress(DecodeError):
            decode()


def test_our_bytes_are_avros_own() -> None:
    import io

    body = io.BytesIO(CODEC.encode(TEXT, topic="t")[10:])
    assert (
        fastavro.schemaless_reader(body, fastavro.parse_schema(CODEC.schemas["TextPosted"].raw), None)["text"]
        == "grüß Gott"
    )
