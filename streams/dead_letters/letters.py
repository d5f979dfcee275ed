"""A dead letter: whose it is, where it came from and what went wrong, read off the headers that tell its story; pure."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from confluent_kafka import Message

from schemas import names as wire
from schemas.errors import HeadraceError
from schemas.names import Names

Headers = Sequence[tuple[str, bytes | None]]

ORIGIN = (wire.ORIGIN_TOPIC, wire.ORIGIN_PARTITION, wire.ORIGIN_OFFSET, wire.ORIGIN_TIMESTAMP_MS)
FAILURE = (
    wire.SOURCE_AGENT, wire.ATTEMPTS, wire.FIRST_FAILURE_MS, wire.LAST_FAILURE_MS,
    wire.ERROR_CLASS, wire.ERROR_MESSAGE, wire.ERROR_TRACEBACK,
)  # fmt: skip
_STORY = frozenset({*ORIGIN, *FAILURE, wire.REDRIVES, wire.DUE_MS})
_NUMBER = re.compile(rb"\d{1,18}")
_ID = re.compile(r"([a-z][a-z0-9-]*)/([A-Za-z0-9._-]+)/(\d{1,9})/(\d{1,18})")


class LetterIdError(HeadraceError):
    """Raised when a text is no letter's id."""

    exit_code = 2

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is no dead letter's id; it is of the form agent/topic/partition/offset, such as "
            "images/images.uploaded/0/17: headrace dlq ls --each lists them"
        )


class LetterId(NamedTuple):
    """What names a dead letter: the agent that gave up, and the place of the record it gave up on.

    Attributes:
        agent: the agent's name.
        topic: the origin's topic, without the prefix.
        partition: from 0.
        offset: from 0.
    """

    agent: str
    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return "/".join(map(str, self))


class Letter(msgspec.Struct, frozen=True, gc=False):
    """A dead letter without its value and its other headers, small enough to be held by the hundred thousand.

    Attributes:
        id: its origin; where the headers name none, its own place in the dead-letter topic.
        has_origin: whether the headers name one.
        origin_ms: the timestamp that the record had there, in milliseconds since the epoch; 0 where the headers don't say.
        key: as on the wire.
        error_class: the exception's class name; empty where the headers have none, as all that follows.
        error_message: its text.
        attempts: how often it was tried.
        first_failure_ms: in milliseconds since the epoch.
        last_failure_ms: in milliseconds since the epoch; the record's timestamp where the headers don't say.
        redrives: how often an operator has sent it again before it came back.
        partition: of the dead-letter topic.
        offset: in the dead-letter topic.
    """

    id: LetterId
    has_origin: bool
    origin_ms: int
    key: bytes | None
    error_class: str
    error_message: str
    attempts: int
    first_failure_ms: int
    last_failure_ms: int
    redrives: int
    partition: int
    offset: int

    @property
    def place(self) -> tuple[int, int]:
        """Partition and offset in the dead-letter topic."""
        return self.partition, self.offset

    def is_later_than(self, other: "Letter") -> bool:
        """Whether it was written after another letter of the same id; their agent gave up on that record twice."""
        if self.partition == other.partition:
            return self.offset > other.offset
        return self.last_failure_ms > other.last_failure_ms


def parse_id(text: str) -> LetterId:
    """An id as `str` writes it.

    Raises:
        LetterIdError: if it is none.
    """
    found = _ID.fullmatch(text.strip())
    if found is None or not text.isascii():
        raise LetterIdError(text)
    return LetterId(found[1], found[2], int(found[3]), int(found[4]))


def letter_of(message: Message, *, agent: str, names: Names) -> Letter:
    """The letter that a record of an agent's dead-letter topic is; headers that make no sense count as missing."""
    told = story_of(headers_of(message))
    place, (_, timestamp_ms) = (message.partition() or 0, message.offset() or 0), message.timestamp()
    origin = _origin(told, agent, names)
    last_failure_ms = _number(told, wire.LAST_FAILURE_MS) or max(0, timestamp_ms)
    return Letter(
        id=origin or LetterId(agent, names.bare(names.dead_letter(agent)), *place),
        has_origin=origin is not None,
        origin_ms=_number(told, wire.ORIGIN_TIMESTAMP_MS) or 0,
        key=_bytes(message.key()),
        error_class=text_of(told, wire.ERROR_CLASS),
        error_message=text_of(told, wire.ERROR_MESSAGE),
        attempts=_number(told, wire.ATTEMPTS) or 0,
        first_failure_ms=_number(told, wire.FIRST_FAILURE_MS) or last_failure_ms,
        last_failure_ms=last_failure_ms,
        redrives=_number(told, wire.REDRIVES) or 0,
        partition=place[0],
        offset=place[1],
    )


def headers_of(message: Message) -> list[tuple[str, bytes | None]]:
    """A record's headers, in order."""
    found = message.headers() or []
    pairs = found.items() if isinstance(found, Mapping) else found
    return [(name, _bytes(value)) for name, value in pairs]


def value_of(message: Message) -> bytes | None:
    """A record's value; None is a tombstone."""
    return _bytes(message.value())


def story_of(headers: Headers) -> dict[str, bytes]:
    """The headers that tell the letter's story.

    The last of a name counts: it was appended when the record was given up, and the record may have brought others of the
    same name, as every agent's result brings `headrace-agent`.
    """
    return {name: value for name, value in headers if name in _STORY and value is not None}


def own_headers(headers: Headers) -> list[tuple[str, bytes | None]]:
    """The headers that the record had at its origin, byte for byte: without the last one of each name of the story."""
    kept, appended = list[tuple[str, bytes | None]](), set(_STORY)
    for name, value in reversed(headers):
        if name in appended:
            appended.discard(name)
        else:
            kept.append((name, value))
    return kept[::-1]


def text_of(told: Mapping[str, bytes], name: str) -> str:
    """A header's text; empty where it is missing."""
    return told.get(name, b"").decode("utf-8", "replace")


def _origin(told: Mapping[str, bytes], agent: str, names: Names) -> LetterId | None:
    topic = names.bare(text_of(told, wire.ORIGIN_TOPIC))
    partition, offset = _number(told, wire.ORIGIN_PARTITION), _number(told, wire.ORIGIN_OFFSET)
    if partition is None or offset is None:
        return None
    named = f"{agent}/{topic}/{partition}/{offset}"
    return LetterId(agent, topic, partition, offset) if _ID.fullmatch(named) else None


def _number(told: Mapping[str, bytes], name: str) -> int | None:
    value = told.get(name, b"")
    return int(value) if _NUMBER.fullmatch(value) else None


def _bytes(given: bytes | str | None) -> bytes | None:
    """What confluent-kafka types as either; from the broker it is bytes."""
    return given.encode() if isinstance(given, str) else given
