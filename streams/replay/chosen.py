"""Which records of the range a replay is about: those of a key, and those whose fields are so."""

from collections.abc import Mapping
from typing import Any

from consumers.runtime.record import Record
from producers.json_form import Convert, to_json
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.errors import DecodeError
from streams.replay import where
from streams.replay.where import WhereError

_HEX = "hex:"


class Chosen:
    """Tells the records that are wanted; called from one thread.

    Args:
        codec: of all schemas known.
        key: the record's key as text, or `hex:` and its bytes, as `headrace tail` shows it; None for any.
        expression: in the grammar of `where`; None for any.

    Attributes:
        undecodable: how many records could not be compared, and so were left out.
    """

    def __init__(self, codec: Codec, *, key: str | None, expression: str | None) -> None:
        self._codec = codec
        self._key = None if key is None else key_bytes(key)
        self._where = None if expression is None else where.parse(expression)
        self._forms: dict[bytes, Convert] = {}
        self.undecodable = 0

    @property
    def all(self) -> bool:
        """Whether every record is wanted."""
        return self._key is None and self._where is None

    def wants(self, record: Record) -> bool:
        """Whether this one is wanted. Raises what the registry raises when it is needed and away."""
        if self._key is not None and record.key != self._key:
            return False
        if self._where is None:
            return True
        if record.value is None:
            return False
        try:
            fields = self._fields(record.value)
        except DecodeError:
            self.undecodable += 1
            return False
        return self._where.holds(fields)

    def _fields(self, value: bytes) -> Mapping[str, Any]:
        _, plain = self._codec.decode_any(value)
        writer = self._codec.writer_of(value)
        if writer.fingerprint not in self._forms:
            self._forms[writer.fingerprint] = to_json(writer.raw)
        fields: Mapping[str, Any] = self._forms[writer.fingerprint](plain, "")
        return fields


def check(expression: str, topic: str, catalogue: Catalogue) -> None:
    """Refuse an expression that the topic's records cannot meet; of a topic without a schema, the grammar alone is checked.

    Raises:
        WhereError: saying what is wrong.
    """
    parsed = where.parse(expression)
    if topic in catalogue.topics:
        parsed.check(catalogue.schemas[catalogue.topics[topic].record].raw)


def key_bytes(text: str) -> bytes:
    """A key as it is on the wire.

    Raises:
        WhereError: if what follows `hex:` is not hexadecimal.
    """
    if not text.startswith(_HEX):
        return text.encode()
    try:
        return bytes.fromhex(text.removeprefix(_HEX))
    except ValueError as error:
        raise WhereError(f"--key {text}: {error}") from error
