"""JSON Lines to events of one record type."""

from typing import Any

import msgspec

from producers.json_form import from_json
from producers.record_types import record_type
from schemas.conversion import convert
from schemas.errors import InvalidEventError
from schemas.event import Event
from schemas.schema_set import Schema


class LineReader:
    """Reads one JSON object a line as an event; what has a default may be missing, event_id and occurred_at too.

    Timestamps are numbers in the schema's unit or ISO-8601 text, in UTC where that names no zone; bytes are base64.

    Args:
        schema: of the record.

    Raises:
        ConfigurationError: if the schema's record cannot be made in Python.
    """

    def __init__(self, schema: Schema) -> None:
        self.kind: type[Event] = record_type(schema)
        self._plain = from_json(schema.raw)

    def event(self, line: bytes) -> Event:
        """The event in a line.

        Raises:
            InvalidEventError: naming the field, or the place in the line, that is wrong.
        """
        name = self.kind.__name__
        try:
            value: Any = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidEventError(f"no JSON: {error}") from error
        if not isinstance(value, dict):
            raise InvalidEventError(f"{name}: a JSON object is needed, not {_kind(value)}")
        try:
            return convert(self._plain(value, ""), self.kind)
        except msgspec.ValidationError as error:
            reason, _, place = str(error).partition(" - at ")
            field = place.strip("`").removeprefix("$").removeprefix(".")
            raise InvalidEventError(f"{name}{f'.{field}' if field else ''}: {reason}", field=field) from error


def _kind(value: Any) -> str:
    return {list: "an array", str: "a text", type(None): "null", bool: "a boolean"}.get(type(value), "a number")
