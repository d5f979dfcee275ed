"""Dead letters as people and programs read them: groups, single letters, the whole story, and what an export holds."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from confluent_kafka import Message

from producers.json_form import EPOCH, format_timestamp
from schemas import names as wire
from streams.dead_letters.boxes import Filed
from streams.dead_letters.letters import headers_of, own_headers, story_of, text_of, value_of
from streams.dead_letters.query import Query, key_text
from streams.shown import Shower

GROUP_COLUMNS: Sequence[str] = ("agent", "error", "open", "redriven", "discarded", "first_seen", "last_seen", "example")
LETTER_COLUMNS: Sequence[str] = ("id", "state", "error", "message", "redrives", "last_seen", "key")


def groups(filed: Iterable[Filed], query: Query) -> list[dict[str, Any]]:
    """By agent and error class: how many letters are open, redriven and discarded.

    Only groups with a letter of the state that is asked for; when they were seen, and the example (the latest), are of those.
    """
    found: dict[tuple[str, str], list[Filed]] = {}
    for each in filed:
        found.setdefault((each.letter.id.agent, each.letter.error_class), []).append(each)
    rows = [
        _group(key, members, [each for each in members if query.wants(each.state)]) for key, members in found.items()
    ]
    return sorted((row for row in rows if row), key=lambda row: (row["agent"], -row["open"], row["error"]))


def _group(key: tuple[str, str], members: list[Filed], wanted: list[Filed]) -> dict[str, Any]:
    if not wanted:
        return {}
    counts: dict[str, int] = {"open": 0, "redriven": 0, "discarded": 0}
    for each in members:
        counts[each.state] += 1
    times = [each.letter.last_failure_ms for each in wanted]
    example = max(wanted, key=lambda each: each.letter.last_failure_ms).letter
    return {
        "agent": key[0],
        "error": key[1] or None,
        **counts,
        "first_seen": moment(min(times)),
        "last_seen": moment(max(times)),
        "example": example.error_message,
        "example_id": str(example.id),
    }


def single(filed: Filed) -> dict[str, Any]:
    """One letter, without its value."""
    letter, recorded = filed.letter, filed.recorded
    return {
        "id": str(letter.id),
        "agent": letter.id.agent,
        "state": filed.state,
        "state_since": moment(recorded.at_ms) if recorded else None,
        "error": letter.error_class or None,
        "message": letter.error_message,
        "attempts": letter.attempts,
        "redrives": letter.redrives,
        "first_seen": moment(letter.first_failure_ms),
        "last_seen": moment(letter.last_failure_ms),
        "key": key_text(letter.key),
        "letter_partition": letter.partition,
        "letter_offset": letter.offset,
    }


def whole(filed: Filed, message: Message, shower: Shower) -> dict[str, Any]:
    """One letter with its story, its origin's own headers, and its value decoded or in hex with the reason."""
    headers = headers_of(message)
    told = story_of(headers)
    record = shower.show(message)
    origin = {
        "topic": text_of(told, wire.ORIGIN_TOPIC) or None,
        "partition": filed.letter.id.partition if filed.letter.has_origin else None,
        "offset": filed.letter.id.offset if filed.letter.has_origin else None,
        "timestamp": _stated(text_of(told, wire.ORIGIN_TIMESTAMP_MS)),
    }
    shown = {
        **single(filed),
        "origin": origin,
        "traceback": text_of(told, wire.ERROR_TRACEBACK),
        "headers": [[name, key_text(value)] for name, value in own_headers(headers)],
        "record": record["record"],
    }
    if "error" not in record:
        return {**shown, "value": record["value"]}
    return {**shown, "undecoded": record["error"], "hex": record["hex"], "size_bytes": record["size_bytes"]}


def exported(filed: Filed, message: Message, shower: Shower) -> dict[str, Any]:
    """All that it takes to send the letter again elsewhere: key, value and every header in base64, byte for byte."""
    return {
        **whole(filed, message, shower),
        "key_base64": _base64(filed.letter.key),
        "headers_base64": [[name, _base64(value)] for name, value in headers_of(message)],
        "value_base64": _base64(value_of(message)),
    }


def moment(at_ms: int) -> str | None:
    """A time in milliseconds since the epoch as ISO-8601 in UTC; None for one beyond the year 9999."""
    try:
        return format_timestamp(EPOCH + timedelta(milliseconds=at_ms), timespec="milliseconds")
    except OverflowError:
        return None


def _stated(text: str) -> str | None:
    return moment(int(text)) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _base64(value: bytes | None) -> str | None:
    return None if value is None else b64encode(value).decode()
