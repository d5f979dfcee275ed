"""The event that every contestant handles: ActivityRecorded, eight fields, about 120 bytes, of 20,000 users."""

import random
from collections.abc import Iterator

from schemas.event import now_us
from schemas.records import ActivityKind, ActivityRecorded

USERS = 20_000
SPAN_S = 30 * 60
"""The events' times spread over the last half hour, however many they are."""
_SEED = 6
_PAGES = 400
_KINDS: dict[ActivityKind, int] = {"view": 70, "click": 20, "search": 8, "purchase": 2}
_TAGS = ((), ("mobile",), ("mobile", "returning"), ("newsletter",))
_ID_AHEAD = 0x7 << 76 | 0b10 << 62
"""Version 7 and variant of a UUID, RFC 9562."""


def activities(count: int, *, users: int = USERS, start_us: int | None = None) -> Iterator[ActivityRecorded]:
    """So many events in the order of their time, the same for the same start.

    Args:
        count: how many.
        users: how many different keys.
        start_us: time of the first, in microseconds since the epoch; half an hour ago by default.
    """
    first_us = now_us() - SPAN_S * 1_000_000 if start_us is None else start_us
    step_us = SPAN_S * 1_000_000 / max(count, 1)
    chance = random.Random(_SEED)  # noqa: S311  reproducible, not secret
    names = [f"user-{number:05d}" for number in range(users)]
    urls = [f"https://shop.example/products/{number:03d}" for number in range(_PAGES)]
    kinds = chance.choices(list(_KINDS), weights=list(_KINDS.values()), k=count)
    for index, kind in enumerate(kinds):
        drawn = chance.getrandbits(128)
        occurred_at = first_us + int(index * step_us)
        yield ActivityRecorded(
            event_id=_event_id(occurred_at, drawn),
            occurred_at=occurred_at,
            user_id=names[drawn % users],
            kind=kind,
            url=urls[(drawn >> 32) % _PAGES],
            duration_ms=20 + (drawn >> 48) % 2_000,
            value=(drawn >> 64) % 20_000 / 100 if kind == "purchase" else None,
            tags=_TAGS[(drawn >> 80) % len(_TAGS)],
        )


def _event_id(occurred_at_us: int, bits: int) -> str:
    """A UUIDv7 of the event's time; a `uuid.UUID` each would double the time."""
    value = occurred_at_us // 1000 << 80 | _ID_AHEAD | (bits >> 64 & 0xFFF) << 64 | bits & ((1 << 62) - 1)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
