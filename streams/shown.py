"""A Kafka record as people and programs may read it; one that cannot be decoded is shown as such."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from producers.json_form import EPOCH, Convert, format_timestamp, to_json
from schemas.codec import Codec
from schemas.errors import DecodeError, RegistryUnavailableError
from schemas.names import ERROR_TRACEBACK
from schemas.schema_set import Schema

_HEX_BYTES = 32
_KEY_WIDTH = 24
COLUMNS = ("time", "partition", "offset", "key", "record", "value")


class Shower:
    """Decodes records of either wire format.

    Args:
        codec: of all schemas known.
        hex_bytes: how much is shown of a value that cannot be decoded.
    """

    def __init__(self, codec: Codec, *, hex_bytes: int = _HEX_BYTES) -> None:
        self._codec = codec
        self._hex_bytes = hex_bytes
        self._forms: dict[bytes, Convert] = {}

    def show(self, message: Message) -> dict[str, Any]:
        """A record as JSON has it.

        `value` holds the fields, `record` the schema's full name. What cannot be decoded has `error` with the reason and
        `hex` with the value's first bytes instead; a tombstone has neither record nor error.
        """
        shown: dict[str, Any] = {
            "topic": message.topic(),
            "partition": message.partition(),
            "offset": message.offset(),
            "time": _time(message),
            "key": _text(message.key()),
            "headers": _headers(message),
        }
        return shown | self._value(message.value())

    def _value(self, value: bytes | None) -> dict[str, Any]:
        if value is None:
            return {"record": None, "value": None}
        try:
            name, plain = self._codec.decode_any(value)
            writer = self._codec.writer_of(value)
        except DecodeError as error:
            return self._undecoded(value, error.reason)
        except RegistryUnavailableError as error:
            return self._undecoded(value, str(error))
        return {"record": name, "value": self._form(writer)(plain, "")}

    def _undecoded(self, value: bytes, reason: str) -> dict[str, Any]:
        return {"record": None, "error": reason, "hex": value[: self._hex_bytes].hex(), "size_bytes": len(value)}

    def _form(self, schema: Schema) -> Convert:
        if schema.fingerprint not in self._forms:
            self._forms[schema.fingerprint] = to_json(schema.raw)
        return self._forms[schema.fingerprint]


def line(shown: Mapping[str, Any], *, width: int | None) -> str:
    """A record on one line, in the order of COLUMNS; cut to `width` characters, None for all of it."""
    key = "-" if shown["key"] is None else str(shown["key"])
    place = f"{shown['time'] or '-':24} {shown['partition']:>4} {shown['offset']:>9} {key:{_KEY_WIDTH}}"
    text = f"{place} {shown['record'] or '-'} {_summary(shown)}{_told(shown['headers'])}"
    flat = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return flat if width is None or len(flat) <= width else f"{flat[: width - 1]}\N{HORIZONTAL ELLIPSIS}"


def header_line() -> str:
    """The names above the lines."""
    time, partition, offset, key, record, value = (column.upper() for column in COLUMNS)
    return f"{time:24} {partition[:4]:>4} {offset:>9} {key:{_KEY_WIDTH}} {record} {value}"


def _summary(shown: Mapping[str, Any]) -> str:
    if "error" in shown:
        return f"cannot be decoded: {shown['error']} (hex {shown['hex']}, {shown['size_bytes']:,} bytes)"
    return "tombstone" if shown["value"] is None else msgspec.json.encode(shown["value"]).decode()


def _headers(message: Message) -> dict[str, Any]:
    """By name; one that is there more than once has a list of its values."""
    found: Any = message.headers()
    headers: dict[str, Any] = {}
    for name, value in found or ():
        text = _text(value)
        headers[name] = text if name not in headers else [*_listed(headers[name]), text]
    return headers


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _told(headers: Mapping[str, Any]) -> str:
    told = " ".join(f"{name}={value}" for name, value in headers.items() if name != ERROR_TRACEBACK)
    return f"  [{told}]" if told else ""


def _text(value: bytes | str | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"hex:{value.hex()}"


def _time(message: Message) -> str | None:
    kind, at_ms = message.timestamp()
    return (
        None
        if kind == TIMESTAMP_NOT_AVAILABLE
        else format_timestamp(EPOCH + timedelta(milliseconds=at_ms), timespec="milliseconds")
    )
