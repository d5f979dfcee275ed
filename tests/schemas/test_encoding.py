"""The generated encoders: the bytes of fastavro, or an exception, and then the codec's own word for it."""

import enum
import io
import subprocess
import sys
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import encoding, records
from schemas.codec import Codec
from schemas.encoding import encoder_of
from schemas.errors import InvalidEventError
from schemas.event import Event
from schemas.schema_set import SchemaSet
from schemas.way_out import WayOut
from tests.support import avro

BUILT_IN = SchemaSet.load()
NAMES = [schema.name for schema in BUILT_IN]
PREFIX = b"\x00\x00\x00\x00\x07"


def encoder(kind: type[Event], schemas: SchemaSet) -> encoding.Encoder:
    found = encoder_of(kind, schemas[kind.__schema_name__].fingerprint)
    assert found is not None
    return found


def by_fastavro(plain: dict[str, Any], schema: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, plain)
    return out.getvalue()


def slowly(event: Event, schemas: SchemaSet) -> bytes | None:
    """The codec's bytes without the encoder, None where it refuses."""
    try:
        return WayOut(type(event), schemas[event.__schema_name__], PREFIX, max_value_bytes=1 << 20).encode_slowly(event)
    except InvalidEventError:
        return None


def built_in(name: str) -> type[Event]:
    return getattr(records, name.rpartition(".")[2])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_every_checked_in_record_has_an_encoder_that_writes_fastavro_s_bytes(name: str, data: st.DataObject) -> None:
    schema, kind = BUILT_IN[name], built_in(name)
    plain = data.draw(avro.values(schema.raw))
    plain["occurred_at"] = data.draw(st.integers(2**27, 2**63 - 1))
    event = msgspec.convert(plain, kind)
    assert encoder(kind, BUILT_IN)(event, PREFIX) == PREFIX + by_fastavro(plain, schema.parsed)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_random_schemas_are_written_as_fastavro_writes_them(data: st.DataObject) -> None:
    raw = data.draw(avro.schemas())
    schemas = avro.schema_set(raw)
    kind = avro.module_of(schemas).Thing
    for _ in range(5):
        plain = data.draw(avro.values(raw))
        plain["occurred_at"] = abs(plain["occurred_at"]) % 2**62 + 2**27
        event = msgspec.convert(plain, kind)
        assert encoder(kind, schemas)(event, PREFIX) == PREFIX + by_fastavro(plain, schemas["Thing"].parsed)


class Symbol(enum.StrEnum):
    """A symbol as an enum member."""

    A = "S0"


class Text(str):
    """No str to msgspec."""


class Number(int):
    """No int to msgspec."""


class Size(enum.IntEnum):
    """A number as an enum member."""

    A = 3


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.binary(max_size=3), st.text(max_size=3),
    st.sampled_from([
        2**31, -(2**31) - 1, 2**63, -(2**63) - 1, 2**64, 10**400, 1e39, float("nan"), float("inf"), "\ud800", "no symbol",
        Symbol.A, Text("S0"), Text("x"), Number(3), Size.A, bytearray(b"ab"), memoryview(b"ab"), object(), (), [], {}, set(),
        frozenset({"a"}), ("a",), ["a", 1], [None], {"a": 1}, {1: "a"}, {"\udfff": "a"}, ("\ud800",), {"f0": 1}, range(2),
        (True,), (1,), (2**40,), (2**70,), iter(()), b"".join, msgspec.UNSET,
    ]),
)  # fmt: skip


def assert_as_slow(event: Event, schemas: SchemaSet) -> None:
    """What the encoder takes, the slow way takes and writes alike; what the slow way refuses, the codec refuses."""
    slow = slowly(event, schemas)
    try:
        fast = encoder(type(event), schemas)(event, PREFIX)
    except encoding.UNFIT:
        fast = slow
    assert fast == slow
    way = WayOut(type(event), schemas[event.__schema_name__], PREFIX, max_value_bytes=1 << 20)
    if slow is None:
        with pytest.raises(InvalidEventError):
            way.encode(event)
    else:
        assert way.encode(event) == slow


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_does_not_fit_is_refused_as_without_an_encoder(data: st.DataObject) -> None:
    raw = data.draw(avro.schemas())
    schemas = avro.schema_set(raw)
    kind = avro.module_of(schemas).Thing
    plain = data.draw(avro.values(raw))
    event = msgspec.convert(plain, kind)
    fields = {name: getattr(event, name) for name in kind.__struct_fields__}
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(ODD)
    assert_as_slow(kind(**fields), schemas)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_wrong_value_in_a_checked_in_record_is_refused_as_without_an_encoder(name: str, data: st.DataObject) -> None:
    kind = built_in(name)
    event = msgspec.convert(data.draw(avro.values(BUILT_IN[name].raw)), kind)
    fields = {field: getattr(event, field) for field in kind.__struct_fields__}
    wrong = data.draw(st.sampled_from(sorted(fields)))
    inner = fields[wrong][0] if isinstance(fields[wrong], tuple) and fields[wrong] else None
    if isinstance(inner, msgspec.Struct):
        part = data.draw(st.sampled_from(inner.__struct_fields__))
        parts = {each: getattr(inner, each) for each in inner.__struct_fields__} | {part: data.draw(ODD)}
        fields[wrong] = (type(inner)(**parts), *fields[wrong][1:])
    else:
        fields[wrong] = data.draw(ODD)
    assert_as_slow(kind(**fields), BUILT_IN)


@given(st.integers(-(2**65), 2**65))
def test_whole_numbers_are_zig_zag_varints_within_their_bounds(number: int) -> None:
    for kind, write, bits in (("int", encoding.integer, 32), ("long", encoding.long, 64)):
        if -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            assert write(number) == by_fastavro(number, kind)  # type: ignore[arg-type]
        else:
            with pytest.raises(OverflowError):
                write(number)


def test_the_tables_are_the_varints() -> None:
    assert [encoding.INTS[number] for number in range(encoding.SMALL)] == [
        by_fastavro(number, "int") for number in range(encoding.SMALL)  # type: ignore[arg-type]
    ]  # fmt: skip


def test_the_kept_high_bits_are_bounded() -> None:
    for number in range(1, 10_000):
        encoding.long(number << 27)
    assert len(encoding.HIGH) <= 4_096
    assert encoding.long(1 << 27) == by_fastavro(1 << 27, "long")  # type: ignore[arg-type]


def test_texts_and_lists_beyond_the_table_s_sizes_are_written_too() -> None:
    event = records.ActivityRecorded(
        user_id="ü" * 9_000, kind="view", url="u" * 8_192, duration_ms=8_192, tags=("t",) * 9_000
    )
    schema = BUILT_IN["ActivityRecorded"]
    plain = msgspec.to_builtins(event)
    assert encoder(type(event), BUILT_IN)(event, b"") == by_fastavro(plain, schema.parsed)


def test_a_schema_that_has_changed_since_is_not_written_by_the_old_encoder() -> None:
    kind = avro.module_of(avro.schema_set(avro.event_schema({"name": "n", "type": "int"}))).Thing
    changed = avro.schema_set(avro.event_schema({"name": "n", "type": "long"}))
    assert encoder_of(kind, changed["Thing"].fingerprint) is None
    codec = Codec(changed)
    assert codec.decode(codec.encode(kind(n=7), topic="t"), kind).n == 7


def test_a_subclass_has_no_encoder() -> None:
    class Special(records.TextPosted, frozen=True):
        pass

    assert encoder_of(Special, BUILT_IN["TextPosted"].fingerprint) is None
    codec = Codec(BUILT_IN)
    event = Special(text_id="a", text="hi")
    assert codec.decode(codec.encode(event, topic="t"), records.TextPosted).text == "hi"


def test_a_union_of_several_types_is_left_to_fastavro() -> None:
    raw = avro.event_schema({"name": "either", "type": ["null", "string", "long"]})
    schemas = avro.schema_set(raw)
    kind = avro.module_of(schemas).Thing
    assert encoder_of(kind, schemas["Thing"].fingerprint) is None
    codec = Codec(schemas)
    assert [codec.decode(codec.encode(kind(either=each), topic="t"), kind).either for each in (None, "a", 1)] == [
        None, "a", 1,
    ]  # fmt: skip


def test_a_type_that_is_named_again_is_written_the_same() -> None:
    inner = {"type": "record", "name": "Inner", "fields": [{"name": "n", "type": "int"}]}
    kind = {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}
    raw = avro.event_schema(
        {"name": "one", "type": inner}, {"name": "other", "type": ["null", "test.Inner"]}, {"name": "kind", "type": kind},
        {"name": "kinds", "type": {"type": "array", "items": "Kind"}},
    )  # fmt: skip
    schemas = avro.schema_set(raw)
    plain = {
        "event_id": "e", "occurred_at": 2**40, "one": {"n": 1}, "other": {"n": -2}, "kind": "B", "kinds": ["A", "B"],
    }  # fmt: skip
    thing = avro.module_of(schemas).Thing
    event = msgspec.convert(plain, thing)
    assert encoder(thing, schemas)(event, b"") == by_fastavro(plain, schemas["Thing"].parsed)


def test_the_records_are_imported_in_a_moment() -> None:
    """The tables are made at import: neither fastavro nor anything else heavy comes with them."""
    code = (
        "import sys, schemas.records; print([name for name in ('fastavro', 'polars', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
