"""What every event has in common, and the ids that tell two events apart."""

import hashlib
import os
import time
from typing import Any, ClassVar

import msgspec

from schemas.errors import SchemaNotFoundError

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A_MASK = 0xFFF
_RANDOM_B_MASK = (1 << 62) - 1


def _uuid7(unix_ms: int, random_bits: int) -> str:
    """UUIDv7 (RFC 9562, section 5.7) from a time in milliseconds and at least 74 random bits."""
    value = (unix_ms & ((1 << 48) - 1)) << 80 | _VERSION_7 | _VARIANT
    value |= (random_bits >> 62 & _RANDOM_A_MASK) << 64 | random_bits & _RANDOM_B_MASK
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def now_us() -> int:
    """Now, in microseconds since the epoch, UTC."""
    return time.time_ns() // 1000


def new_event_id() -> str:
    """A fresh UUIDv7 whose time is now."""
    return _uuid7(time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10), "big"))


def derived_event_id(*, occurred_at_us: int, source: str, agent: str, index: int) -> str:
    """The id of an agent's result: the same source, agent and index give the same id at every replay.

    Args:
        occurred_at_us: the source's occurred_at, in microseconds since the epoch; the id's time.
        source: the source's event_id, or whatever else names the origin once and for all.
        agent: the agent's name.
        index: the result's place among the results of one source event, from 0.
    """
    digest = hashlib.sha256(f"{source}\n{agent}\n{index}".encode()).digest()
    return _uuid7(occurred_at_us // 1000, int.from_bytes(digest[:10], "big"))


class Event(msgspec.Struct, frozen=True, gc=False):
    """Base of the typed records that are generated from the .avsc files.

    Every event begins, on the wire, with `event_id` (UUIDv7, text) and `occurred_at` (microseconds since the epoch, UTC).
    """

    __schema_name__: ClassVar[str] = ""

    @property
    def id(self) -> str:
        """The event's id; every generated record has the field event_id."""
        record: Any = self
        return str(record.event_id)

    @property
    def occurred_at_us(self) -> int:
        """When the event happened, in microseconds since the epoch; every generated record has the field occurred_at."""
        record: Any = self
        return int(record.occurred_at)


def record_type(schema_name: str) -> type[Event]:
    """The imported class of a record; of several, the one that was defined first.

    Args:
        schema_name: the schema's full name, such as "headrace.TextPosted".

    Raises:
        SchemaNotFoundError: if no imported module defines it.
    """
    import schemas.records  # noqa: F401  the built-in ones define themselves; a user's catalogue imports its own

    classes = [Event]
    for found in classes:
        if found.__schema_name__ == schema_name:
            return found
        classes += found.__subclasses__()
    raise SchemaNotFoundError(
        f"no class of {schema_name} is imported; let the catalogue's module import its records.py"
    )
