"""How the events of a class become a topic's values: by their generated encoder, else by msgspec and fastavro."""

import io
import re

import msgspec

from schemas.conversion import convert
from schemas.encoding import UNFIT, encoder_of
from schemas.errors import EventTooLargeError, InvalidEventError
from schemas.event import Event
from schemas.schema_set import Schema

_PATH = re.compile(r"at `\$\.?(.*?)`$")


class WayOut:
    """Encodes the events of one class.

    Args:
        kind: the class.
        schema: what is written.
        prefix: what goes before the body.
        max_value_bytes: larger values are refused.

    Attributes:
        kind: the class.
    """

    def __init__(self, kind: type[Event], schema: Schema, prefix: bytes, *, max_value_bytes: int) -> None:
        import fastavro

        self._write, self._read = fastavro.schemaless_writer, fastavro.schemaless_reader
        self.kind = kind
        self._schema = schema.parsed
        self._prefix = prefix
        self._max_value_bytes = max_value_bytes
        self._encoder = encoder_of(kind, schema.fingerprint) or self._refuse

    def encode(self, event: Event) -> bytes:
        """The event's bytes.

        Raises:
            InvalidEventError: naming the field that does not fit the schema.
            EventTooLargeError: if it takes more bytes than a codec would decode.
        """
        try:
            value = self._encoder(event, self._prefix)
        except UNFIT:
            value = self.encode_slowly(event)
        if len(value) > self._max_value_bytes:
            allowed = f"more than the {self._max_value_bytes} allowed; send large payloads by reference"
            raise EventTooLargeError(f"{type(event).__name__}: {len(value)} bytes, {allowed}")
        return value

    def encode_slowly(self, event: Event) -> bytes:
        """The same bytes without the encoder, of whatever may stand for a field's value, such as an enum member for its symbol.

        Raises:
            InvalidEventError: naming the field that does not fit the schema.
        """
        try:
            plain = msgspec.to_builtins(event, builtin_types=(bytes,))
            convert(plain, type(event))
            out = io.BytesIO()
            out.write(self._prefix)
            self._write(out, self._schema, plain, disable_tuple_notation=True)
        except (msgspec.ValidationError, ValueError, TypeError, OverflowError) as error:
            raise _invalid(event, error) from error
        return out.getvalue()

    def event_of(self, value: bytes) -> Event:
        """The event whose bytes `encode` has given."""
        return convert(self._read(io.BytesIO(value[len(self._prefix) :]), self._schema, None), self.kind)

    @staticmethod
    def _refuse(_event: Event, _prefix: bytes) -> bytes:
        """In place of an encoder that is not there."""
        raise TypeError


def _invalid(event: Event, error: Exception) -> InvalidEventError:
    found = _PATH.search(str(error))
    field = found[1] if found else _unwritable(event)
    reason = str(error)[: found.start()].rstrip(" -") if found else str(error)
    return InvalidEventError(f"{type(event).__name__}{f'.{field}' if field else ''}: {reason}", field=field)


def _unwritable(event: Event) -> str:
    """The first text field that is not UTF-8: Python's str may hold lone surrogates, Avro's string may not."""
    for name in event.__struct_fields__:
        try:
            msgspec.json.encode(getattr(event, name))
        except (UnicodeEncodeError, TypeError, ValueError):
            return name
    return ""
