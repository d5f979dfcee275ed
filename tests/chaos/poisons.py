"""Eight kinds of bytes that no agent can decode: each makes them of a good record's."""

from collections.abc import Callable
from random import Random

from schemas.framing import SINGLE_OBJECT_BYTES, single_object_prefix
from schemas.schema_set import SchemaSet
from tests.chaos.agents import SCHEMAS

_OTHERS = frozenset({0x00, 0xC3})
"""What the two wire formats begin with: 0x00 asks for a registry, and where none is configured that is nobody's fault."""


def _random(_value: bytes, random: Random) -> bytes:
    return bytes([random.randrange(1, 0xC3)]) + random.randbytes(random.randint(11, 300))


def _wrong_magic(value: bytes, random: Random) -> bytes:
    first = random.choice([number for number in range(256) if number not in _OTHERS])
    return bytes([first, 0x7F]) + value[2:]


def _unknown_fingerprint(value: bytes, random: Random) -> bytes:
    return single_object_prefix(random.randbytes(8)) + value[SINGLE_OBJECT_BYTES:]


def _wrong_schema(value: bytes, _random: Random) -> bytes:
    """A well-formed record of the result's schema, whose fields happen to be where a task's are too."""
    schema = next(schema for schema in SchemaSet.load(SCHEMAS) if schema.name == "chaos.TaskDone")
    return single_object_prefix(schema.fingerprint) + value[SINGLE_OBJECT_BYTES:]


POISONS: dict[str, Callable[[bytes, Random], bytes]] = {
    "empty": lambda _value, _random: b"",
    "one-byte": lambda value, _random: value[:1],
    "wrong-magic": _wrong_magic,
    "unknown-fingerprint": _unknown_fingerprint,
    "truncated": lambda value, random: value[: random.randrange(SINGLE_OBJECT_BYTES + 1, len(value))],
    "trailing": lambda value, random: value + random.randbytes(random.randint(1, 20)),
    "wrong-schema": _wrong_schema,
    "random": _random,
}
