"""200,000 activities of 20,000 users over half an hour: a few users do most of it, as in any shop."""

import random
from collections.abc import Iterator
from itertools import accumulate, repeat
from operator import truediv

from schemas.event import now_us
from schemas.records import ActivityKind, ActivityRecorded

COUNT = 200_000
USERS = 20_000
SPAN_S = 30 * 60
OUT_OF_ORDER_S = 10
"""An event is at most so much older than the newest before it."""
_SEED = 20_261_123
_PAGES = 400
_KINDS: dict[ActivityKind, int] = {"view": 70, "click": 20, "search": 8, "purchase": 2}
_MEDIAN_LN_MS, _SIGMA = 5.3, 0.9
"""Of the log-normal duration: a median of 200 ms, 95 % below 880 ms."""
_LONGEST_MS = 120_000
_ID_AHEAD = 0x7 << 76 | 0b10 << 62
"""Version 7 and variant of a UUID, RFC 9562."""


def activities(count: int = COUNT, *, start_us: int | None = None) -> Iterator[ActivityRecorded]:
    """The events in the order of their publication, the same for the same start.

    Args:
        count: how many; they spread over 30 minutes however many they are.
        start_us: time of the first, in microseconds since the epoch; 30 minutes ago by default, so that none lies in the future.
    """
    if start_us is None:
        start_us = now_us() - SPAN_S * 1_000_000
    chance = random.Random(_SEED)
    users = chance.choices([f"user-{rank:05d}" for rank in range(1, USERS + 1)], cum_weights=_zipf(USERS), k=count)
    urls = chance.choices(_urls(), cum_weights=_zipf(_PAGES), k=count)
    kinds = chance.choices(list(_KINDS), cum_weights=list(accumulate(_KINDS.values())), k=count)
    step_us = SPAN_S * 1_000_000 / count
    late_us = OUT_OF_ORDER_S * 1_000_000
    for index, user_id, url, kind in zip(range(count), users, urls, kinds, strict=True):
        # One in twenty was under way for a while, as events from phones are.
        delay_us = int(chance.random() * late_us) if chance.random() < 0.05 else 0
        occurred_at = max(start_us, start_us + int(index * step_us) - delay_us)
        yield ActivityRecorded(
            user_id=user_id,
            kind=kind,
            url=url,
            duration_ms=min(_LONGEST_MS, int(chance.lognormvariate(_MEDIAN_LN_MS, _SIGMA))),
            event_id=_event_id(occurred_at, chance.getrandbits(74)),
            occurred_at=occurred_at,
            value=round(chance.lognormvariate(3.4, 0.8), 2) if kind == "purchase" else None,
        )


def _zipf(ranks: int) -> list[float]:
    """Cumulative weights 1, 1 + 1/2, 1 + 1/2 + 1/3, and so on."""
    return list(accumulate(map(truediv, repeat(1.0, ranks), range(1, ranks + 1))))


def _urls() -> list[str]:
    return ["/", "/search", "/basket", "/checkout", *(f"/products/{number:03d}" for number in range(1, _PAGES - 3))]


def _event_id(occurred_at_us: int, bits: int) -> str:
    """A UUIDv7 of the event's time and 74 bits of the generator: a SHA-256 each would double the time."""
    value = occurred_at_us // 1000 << 80 | _ID_AHEAD | (bits >> 62) << 64 | bits & ((1 << 62) - 1)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
