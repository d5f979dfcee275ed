"""Events to bytes and back: Confluent framing with a registry, single-object encoding without; both are always readable."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from schemas import framing
from schemas.conversion import convert
from schemas.errors import (
    ConfigurationError,
    DecodeError,
    EventTooLargeError,
    InvalidEventError,
    RegistryUnavailableError,
    SchemaIdUnknownError,
    SchemaNotFoundError,
)
from schemas.event import Event
from schemas.names import Names
from schemas.origin import Origin
from schemas.schema_set import Schema, SchemaSet
from schemas.way_out import WayOut

if TYPE_CHECKING:
    from schemas.columnar import Columns
    from schemas.registry import Registry

__all__ = [
    "Codec",
    "DecodeError",
    "EventTooLargeError",
    "InvalidEventError",
    "RegistryUnavailableError",
    "SchemaIdUnknownError",
]

MAX_VALUE_BYTES = 1 << 20
"""1 MiB, the order of Kafka's own default limit; what is larger travels by reference (design.md)."""

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class _Way:
    """How the bodies of one writer become a reader's records.

    Attributes:
        start: bytes before the body.
        writer: fastavro's form of the schema that wrote them.
        reader: fastavro's form of the reader's schema; None when it is the writer's.
    """

    start: int
    writer: Any
    reader: Any | None


class Codec:
    """Encodes with the current schemas; decodes whatever a known or registered schema wrote.

    Args:
        schemas: current and former schemas.
        registry: where schema ids come from; None for single-object encoding.
        names: the cluster's prefix. Topics are given by their broker names, so subjects carry it already.
        max_value_bytes: larger values are refused before anything of them is decoded.
    """

    def __init__(
        self,
        schemas: SchemaSet,
        *,
        registry: "Registry | None" = None,
        names: Names | None = None,
        max_value_bytes: int = MAX_VALUE_BYTES,
    ) -> None:
        self.schemas = schemas
        self.names = names or Names()
        self._registry = registry
        self.max_value_bytes = max_value_bytes
        self._outgoing: dict[tuple[type[Event], str], WayOut] = {}
        self._writers: dict[bytes, Schema] = {}
        self._ways: dict[tuple[bytes, type[Event] | None], _Way] = {}
        self._read = _reader()

    def encode(self, event: Event, *, topic: str) -> bytes:
        """The event's bytes.

        Args:
            event: of a generated record type.
            topic: its name on the broker, for the subject `<topic>-value`; a schema that is new there is registered.

        Raises:
            InvalidEventError: naming the field that does not fit the schema.
            EventTooLargeError: if it takes more bytes than `decode` would accept.
            RegistryUnavailableError: if the registry is needed and does not answer.
            SchemaNotFoundError: if no .avsc file defines the event's record.
        """
        return self.way_out(type(event), topic=topic).encode(event)

    def way_out(self, kind: type[Event], *, topic: str) -> WayOut:
        """What `encode` does with the events of one class for one topic; errors as there."""
        return self._outgoing.get((kind, topic)) or self._prepare(kind, topic)

    def decode(self, value: bytes, reader: type[E], *, origin: Origin | None = None) -> E:
        """The record in a value, in the reader's current form.

        Raises:
            DecodeError: if the bytes are no record of their schema, or of another record than the reader's.
            SchemaIdUnknownError: if the registry does not know their schema id.
            RegistryUnavailableError: if the registry is needed and does not answer, or none is configured.
        """
        try:
            return convert(self._plain(value, reader, origin), reader)
        except msgspec.ValidationError as error:
            raise DecodeError(value, str(error), origin=origin) from error

    def decode_any(self, value: bytes) -> tuple[str, dict[str, Any]]:
        """The record's full name and its fields, in the form of the schema that wrote it.

        Raises:
            DecodeError: as for `decode`.
            RegistryUnavailableError: as for `decode`.
        """
        plain = self._plain(value, None, None)
        return self._writers[framing.prefix_of(value)].name, plain

    def columns(self, values: Sequence[bytes], reader: type[Event], fields: tuple[str, ...] | None = None) -> "Columns":
        """Many values as one frame, in order; what cannot be decoded stands beside it.

        Args:
            values: to decode.
            reader: the record that they become.
            fields: those that are wanted, at least one, by the reader's names; None for all. Of the others it is looked at where they end, not
                at what they hold.

        Raises:
            RegistryUnavailableError: if the registry is needed and does not answer, or none is configured.
            NotColumnarError: if the reader's schema cannot be columns, such as a union of several records.
        """
        from schemas.columnar import decode_columns

        return decode_columns(self, values, reader, fields)

    def typed(self, values: Sequence[bytes], reader: type[E]) -> list[E | None]:
        """Many values as records in the reader's form, in order; None where a value has to be decoded by itself.

        It asks no registry: values of a schema that was not met before are all left to `decode`.
        """
        from schemas.typed import decode_typed

        return decode_typed(self, values, reader)

    def writer_of(self, value: bytes, *, origin: Origin | None = None) -> Schema:
        """The schema that wrote a value, by the bytes that it begins with.

        Raises:
            DecodeError: if it has neither wire format, is too large, or no schema of that fingerprint is known.
            SchemaIdUnknownError: if the registry does not know its schema id.
            RegistryUnavailableError: if the registry is needed and does not answer, or none is configured.
        """
        if len(value) > self.max_value_bytes:
            raise DecodeError(value, f"more than the {self.max_value_bytes} bytes allowed", origin=origin)
        prefix = framing.prefix_of(value)
        return self._writers.get(prefix) or self._find_writer(value, prefix, origin)

    def known_writer_of(self, value: bytes) -> Schema | None:
        """The schema that wrote a value, if that can be said without asking the registry."""
        prefix = framing.prefix_of(value)
        known = self._writers.get(prefix)
        if known is None and prefix and framing.schema_id_of(prefix) is None:
            return self.schemas.by_fingerprint(framing.fingerprint_of(prefix))
        return known

    def plain(self, value: bytes, reader: type[Event]) -> dict[str, Any]:
        """The fields of a value in the reader's form, checked as `decode` checks them, but not made a record."""
        plain = self._plain(value, reader, None)
        try:
            convert(plain, reader)
        except msgspec.ValidationError as error:
            raise DecodeError(value, str(error)) from error
        return plain

    def _plain(self, value: bytes, reader: type[Event] | None, origin: Origin | None) -> dict[str, Any]:
        if len(value) > self.max_value_bytes:
            raise DecodeError(value, f"more than the {self.max_value_bytes} bytes allowed", origin=origin)
        prefix = framing.prefix_of(value)
        way = self._ways.get((prefix, reader)) or self._find_way(value, prefix, reader, origin)
        # fastavro does not notice that a field it skips is cut off: a byte too many makes it read past the end.
        body = io.BytesIO(value if way.reader is None else value + b"\0")
        body.seek(way.start)
        try:
            plain: dict[str, Any] = self._read(body, way.writer, way.reader)
        except MemoryError:
            raise
        except Exception as error:
            # Hostile bytes reach fastavro's C code: whatever it raises means that they are no such record.
            raise DecodeError(value, f"{type(error).__name__}: {error}", origin=origin) from error
        left = len(value) - body.tell()
        if left:
            reason = f"{left} bytes stand after the record" if left > 0 else "the record is cut off"
            raise DecodeError(value, reason, origin=origin)
        return plain

    def _prepare(self, kind: type[Event], topic: str) -> WayOut:
        """How a topic's events go out, found out once."""
        schema = self.schemas[kind.__schema_name__]
        if self._registry is None:
            prefix = framing.single_object_prefix(schema.fingerprint)
        else:
            prefix = framing.confluent_prefix(self._registry.register(f"{topic}-value", schema))
        way = self._outgoing[kind, topic] = WayOut(kind, schema, prefix, max_value_bytes=self.max_value_bytes)
        return way

    def _find_way(self, value: bytes, prefix: bytes, reader: type[Event] | None, origin: Origin | None) -> _Way:
        """How to read values of this prefix, found out once."""
        writer = self.writer_of(value, origin=origin)
        wanted = writer if reader is None else self.schemas[reader.__schema_name__]
        if not _same_record(writer, wanted):
            raise DecodeError(value, f"it is a {writer.name}, not a {wanted.name}", origin=origin)
        differs = writer.fingerprint != wanted.fingerprint
        way = _Way(len(prefix), writer.parsed, wanted.parsed if differs else None)
        self._ways[prefix, reader] = way
        return way

    def _find_writer(self, value: bytes, prefix: bytes, origin: Origin | None) -> Schema:
        schema_id = framing.schema_id_of(prefix)
        if not prefix:
            raise DecodeError(
                value, f"it begins with {value[:2].hex() or 'nothing'}, neither 00 nor c301", origin=origin
            )
        if schema_id is not None:
            writer = self._registered(value, schema_id, origin)
        elif found := self.schemas.by_fingerprint(framing.fingerprint_of(prefix)):
            writer = found
        else:
            reason = (
                f"no schema of fingerprint {framing.fingerprint_of(prefix).hex()}; is a version missing from history/?"
            )
            raise DecodeError(value, reason, origin=origin)
        self._writers[prefix] = writer
        return writer

    def _registered(self, value: bytes, schema_id: int, origin: Origin | None) -> Schema:
        if self._registry is None:
            raise RegistryUnavailableError(
                f"a value names schema id {schema_id}, and no registry is configured; set SCHEMA_REGISTRY_URL"
            )
        try:
            return self._registry.schema(schema_id)
        except SchemaNotFoundError as error:
            raise SchemaIdUnknownError(value, schema_id, origin=origin) from error
        except ConfigurationError as error:
            raise DecodeError(value, f"schema id {schema_id} is refused: {error}", origin=origin) from error


def _reader() -> Callable[..., Any]:
    """The function of fastavro, imported with the first codec: whoever only defines events does not pay for it."""
    import fastavro

    reader: Callable[..., Any] = fastavro.schemaless_reader
    return reader


def _same_record(writer: Schema, reader: Schema) -> bool:
    """Whether one may be resolved to the other (Avro 1.12, "Schema Resolution"): same unqualified name, or an alias."""
    names = {reader.name, *_aliases(reader.raw)}
    return writer.name in names or writer.name.rpartition(".")[2] in {name.rpartition(".")[2] for name in names}


def _aliases(raw: Mapping[str, Any]) -> list[str]:
    return list(raw.get("aliases", ())) if isinstance(raw, dict) else []
