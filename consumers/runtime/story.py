"""What the headers of a retried, redriven or dead-lettered record tell beside its own: where it came from and what went wrong.

The record's own headers stay first, byte for byte; the story follows, and begins with the origin's topic.
"""

import time
from collections.abc import Sequence

import msgspec

from consumers.runtime.record import Failed, Headers, Record
from schemas import names as wire
from schemas.origin import Origin

_DIGITS_MOST = 18


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a retry topic: what it was before, and when it is to be tried again.

    Attributes:
        own_headers: those that it had at its origin.
        origin: where it first stood, under the broker's name of the topic; None where the headers name no place.
        attempts: how often it was tried.
        first_failure_ms: in milliseconds since the epoch; 0 for unknown.
        redrives: how often an operator has sent it again.
        due_ms: in milliseconds since the epoch; None where its topic's delay alone counts.
        error: class and message of its last failure; empty after a redrive.
    """

    own_headers: Headers
    origin: Origin | None
    attempts: int
    first_failure_ms: int
    redrives: int
    due_ms: int | None
    error: tuple[str, str]


def letter(record: Record, failure: Failed, *, agent: str) -> Headers:
    """A dead letter's headers; bounded beside the record's own, so that it always fits its topic."""
    return (*record.headers, *_told({**_facts(record, failure, agent), wire.ERROR_TRACEBACK: failure.traceback}))


def retry(record: Record, failure: Failed, *, agent: str, due_ms: int) -> Headers:
    """The headers of a record that waits in a retry topic."""
    return (*record.headers, *_told({**_facts(record, failure, agent), wire.DUE_MS: due_ms}))


def came(headers: Headers) -> Came:
    """The story that a record of a retry topic brings; what makes no sense counts as missing."""
    starts = [index for index, (name, _) in enumerate(headers) if name == wire.ORIGIN_TOPIC]
    begin = starts[-1] if starts else len(headers)
    told = {name: value for name, value in headers[begin:] if value is not None}
    place = [_number(told, name) for name in (wire.ORIGIN_PARTITION, wire.ORIGIN_OFFSET, wire.ORIGIN_TIMESTAMP_MS)]
    origin = None
    if starts and place[0] is not None and place[1] is not None:
        origin = Origin(_text(told, wire.ORIGIN_TOPIC), place[0], place[1], place[2] or 0)
    return Came(
        own_headers=headers[:begin],
        origin=origin,
        attempts=_number(told, wire.ATTEMPTS) or 0,
        first_failure_ms=_number(told, wire.FIRST_FAILURE_MS) or 0,
        redrives=_number(told, wire.REDRIVES) or 0,
        due_ms=_number(told, wire.DUE_MS),
        error=(_text(told, wire.ERROR_CLASS), _text(told, wire.ERROR_MESSAGE)),
    )


def _facts(record: Record, failure: Failed, agent: str) -> dict[str, str | int]:
    origin, now_ms = record.origin or record, time.time_ns() // 1_000_000
    facts: dict[str, str | int] = {
        wire.ORIGIN_TOPIC: origin.topic,
        wire.ORIGIN_PARTITION: origin.partition,
        wire.ORIGIN_OFFSET: origin.offset,
        wire.ORIGIN_TIMESTAMP_MS: origin.timestamp_ms,
        wire.SOURCE_AGENT: agent,
        wire.ATTEMPTS: record.attempt,
        wire.FIRST_FAILURE_MS: record.first_failure_ms or now_ms,
        wire.LAST_FAILURE_MS: now_ms,
        wire.ERROR_CLASS: failure.error_class,
        wire.ERROR_MESSAGE: failure.message,
    }
    return {**facts, wire.REDRIVES: record.redrives} if record.redrives else facts


def _told(facts: dict[str, str | int]) -> Sequence[tuple[str, bytes]]:
    return [(name, str(fact).encode()) for name, fact in facts.items()]


def _number(told: dict[str, bytes], name: str) -> int | None:
    digits = told.get(name, b"")
    return int(digits) if digits.isdigit() and len(digits) <= _DIGITS_MOST else None


def _text(told: dict[str, bytes], name: str) -> str:
    return told.get(name, b"").decode("utf-8", "replace")
