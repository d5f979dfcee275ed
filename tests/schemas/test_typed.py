"""Many values decoded in one call are what each would have been by itself, or are left to be decoded by themselves."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import framing
from schemas.codec import Codec
from schemas.errors import DecodeError
from schemas.event import Event
from schemas.records import ActivityRecorded, ImageUploaded, TextPosted, VariantRequest
from schemas.schema_set import Schema, SchemaSet
from tests.support import avro

CODEC = Codec(SchemaSet.load())


def _activity(number: int) -> ActivityRecorded:
    return ActivityRecorded(
        event_id=f"e{number}", occurred_at=number, user_id=f"u{number}", kind="search", url="/", duration_ms=number,
        value=number / 2 if number % 2 else None, tags=("a", "ä") * (number % 3),
    )  # fmt: skip


def _values(count: int) -> list[bytes]:
    return [CODEC.encode(_activity(number), topic="t") for number in range(count)]


def _alone(codec: Codec, value: bytes, reader: type[Event]) -> Event | DecodeError:
    try:
        return codec.decode(value, reader)
    except DecodeError as error:
        return error


def _check(codec: Codec, values: Sequence[bytes], reader: type[Event]) -> list[Event | None]:
    """Every record that came out is the one that its value alone gives, where its value is in canonical form."""
    records = codec.typed(values, reader)
    assert len(records) == len(values)
    for value, record in zip(values, records, strict=True):
        if record is None:
            continue
        alone = _alone(codec, value, reader)
        if isinstance(alone, DecodeError):  # an index of a nullable that is neither branch; see schemas.columnar
            assert "IndexError" in alone.reason
        else:
            assert codec.encode(alone, topic="t") != value or record == alone
    return [*records]


@settings(max_examples=80)
@given(st.data())
def test_records_of_random_schemas_are_those_that_decoding_one_by_one_gives(data: st.DataObject) -> None:
    raw = data.draw(avro.schemas())
    codec, kind = avro.codec_and_type(raw)
    events = [avro.event(each, kind) for each in data.draw(st.lists(avro.values(raw), max_size=6))]
    values = [codec.encode(event, topic="t") for event in events]
    assert _check(codec, values, kind) == [codec.decode(value, kind) for value in values]


@settings(max_examples=60)
@given(avro.one_corrupt())
def test_a_corrupt_record_of_a_random_schema_touches_no_neighbour(
    corrupt: tuple[Codec, type[Event], list[bytes], int],
) -> None:
    codec, kind, values, broken = corrupt
    records = _check(codec, values, kind)
    assert all(record is not None for index, record in enumerate(records) if index != broken)


def test_of_ten_thousand_records_a_corrupt_one_alone_is_left_out() -> None:
    values = _values(10_000)
    values[5_000] += b"\x00\x00"
    records = _check(CODEC, values, ActivityRecorded)
    assert [index for index, record in enumerate(records) if record is None] == [5_000]


def test_lists_of_records_become_tuples_of_their_class() -> None:
    asked = VariantRequest(name="thumb", width=1, height=2, fit="cover", format="webp")
    uploaded = [ImageUploaded(image_id=f"i{number}", variants=(asked,) * number) for number in range(3)]
    values = [CODEC.encode(event, topic="t") for event in uploaded]
    assert CODEC.typed(values, ImageUploaded) == uploaded


def test_values_of_another_writer_are_left_to_decode() -> None:
    old = Schema.of(avro.event_schema({"name": "n", "type": "int"}))
    new = Schema.of(avro.event_schema({"name": "n", "type": "long"}, {"name": "more", "type": "string", "default": ""}))
    former, schemas = Codec(SchemaSet({old.name: old})), SchemaSet({new.name: new}, [old])
    old_kind, kind = (avro.module_of(each).Thing for each in (former.schemas, schemas))
    values = [former.encode(old_kind(n=number), topic="t") for number in range(3)]
    assert Codec(schemas).typed(values, kind) == [None] * 3


def test_values_of_another_record_are_left_to_decode() -> None:
    assert CODEC.typed([CODEC.encode(TextPosted(text_id="a"), topic="t")] * 2, ActivityRecorded) == [None] * 2


def test_a_registry_is_never_asked() -> None:
    class Asked:
        def schema(self, _schema_id: int) -> Schema:
            raise AssertionError("the registry was asked")

    codec = Codec(CODEC.schemas, registry=Asked())  # type: ignore[arg-type]
    body = _values(1)[0][framing.SINGLE_OBJECT_BYTES :]
    assert codec.typed([framing.confluent_prefix(7) + body] * 3, ActivityRecorded) == [None] * 3


def test_a_value_above_the_bound_is_left_out() -> None:
    small = Codec(CODEC.schemas, max_value_bytes=60)
    large = CODEC.encode(msgspec.structs.replace(_activity(1), url="/" * 200), topic="t")
    assert small.typed([_values(1)[0], large], ActivityRecorded) == [_activity(0), None]


def test_a_class_that_asks_for_more_than_its_schema_is_left_to_decode() -> None:
    codec, plain = avro.codec_and_type(avro.event_schema({"name": "url", "type": "string"}))

    class Short(Event, frozen=True, gc=False):
        __schema_name__ = plain.__schema_name__

        event_id: str
        occurred_at: int
        url: Annotated[str, msgspec.Meta(max_length=1)]

    short, long = (codec.encode(plain(url=url), topic="t") for url in ("/", "/long"))
    assert [record.url for record in codec.typed([short, short], Short) if record] == ["/", "/"]
    assert codec.typed([short, long], Short) == [None, None]
    with pytest.raises(DecodeError, match="url"):
        codec.decode(long, Short)
