"""Times and offsets as `rpk topic consume` writes them; pure.

A position is `start`, `end`, an offset such as `47`, `+2` (from the start), `-3` (from the end), or `@` and a time:
`@-1h` (before now), `@2026-11-22T10:00:00Z`, `@2026-11-22`, `@1795341600` (seconds), `@1795341600000` (milliseconds).
A range is `a:b`, either side may be missing: `:end`, `47:`, `@-2h:-1h`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from schemas.errors import HeadraceError

FORMS = "start, end, 47, +2, -3, @-1h, @2026-11-22T10:00:00Z, or a range a:b of these"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_AGO = re.compile(r"-((?:\d+(?:ms|[smhdw]))+)")
_PART = re.compile(r"(\d+)(ms|[smhdw])")
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_OFFSET = re.compile(r"[+-]?\d{1,18}")


class PositionError(HeadraceError):
    """Raised when a text is no position."""

    exit_code = 2

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no position; it is one of: {FORMS}")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in each partition of a topic.

    Attributes:
        kind: "start" and "end" count `number` offsets from there, "offset" is the offset itself, "time" is in
            milliseconds since the epoch: the first record of that time or later.
        number: see `kind`.
    """

    kind: Literal["start", "end", "offset", "time"]
    number: int = 0

    def within(self, low: int, high: int) -> int:
        """The offset in a partition whose first record has offset `low` and whose next one will have `high`.

        Not for a time: only the broker knows.
        """
        wanted = {"start": low + self.number, "end": high - self.number, "offset": self.number}[self.kind]
        return min(max(wanted, low), high)


START = Position("start")
END = Position("end")


def parse(text: str, *, now_ms: int) -> Position:
    """One position.

    Args:
        text: in the grammar above.
        now_ms: what `@-1h` counts from, in milliseconds since the epoch.

    Raises:
        PositionError: if it is none.
    """
    found = _parse(text.strip(), now_ms)
    if found is None:
        raise PositionError(text)
    return found


def parse_range(text: str, *, now_ms: int) -> tuple[Position | None, Position | None]:
    """A range, or one position, which is a range without an end; a side that is missing is None.

    A text that is one position is read as that: `@2026-11-22T10:00:30` has no range in it.

    Raises:
        PositionError: if it is neither.
    """
    text = text.strip()
    if whole := _parse(text, now_ms):
        return whole, None
    for colon in (place for place, letter in enumerate(text) if letter == ":"):
        left, right = text[:colon].strip(), text[colon + 1 :].strip()
        start, end = _parse(left, now_ms), _end(left, right, now_ms)
        if (start or not left) and (end or not right) and (left or right):
            return start, end
    raise PositionError(text)


def _end(left: str, right: str, now_ms: int) -> Position | None:
    """The end of a range; after a time it may be a time without its own @."""
    if left.startswith("@") and (moment := _time(right, now_ms)):
        return moment
    return _parse(right, now_ms)


def _parse(text: str, now_ms: int) -> Position | None:
    if text.startswith("@"):
        return _time(text[1:], now_ms)
    if text in {"start", "end"}:
        return START if text == "start" else END
    if not _OFFSET.fullmatch(text) or not text.isascii():
        return None
    number = int(text.lstrip("+-"))
    return Position({"+": "start", "-": "end"}.get(text[0], "offset"), number)  # type: ignore[arg-type]


def _time(text: str, now_ms: int) -> Position | None:
    if ago := _AGO.fullmatch(text):
        before_ms = sum(int(number) * _UNITS_MS[unit] for number, unit in _PART.findall(ago[1]))
        return Position("time", max(0, now_ms - before_ms))
    if text.isascii() and text.isdecimal() and len(text) in {10, 13}:
        return Position("time", int(text) * (1_000 if len(text) == 10 else 1))
    return _iso(text) if _ISO.fullmatch(text) else None


def _iso(text: str) -> Position | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return Position("time", since // timedelta(milliseconds=1)) if since >= timedelta(0) else None
