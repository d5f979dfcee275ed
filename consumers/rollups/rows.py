"""The rows of one partition: read, changed and written back by the one transaction that may."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from consumers.rollups import urls
from consumers.rollups.sql import upsert
from consumers.rollups.summary import Events, Summary
from consumers.rollups.tables import summaries, unpublished, url_counts, watermarks


class Key(NamedTuple):
    """One window and kind.

    Attributes:
        window_start: in microseconds since the epoch, inclusive.
        kind: what the users did.
    """

    window_start: int
    kind: str


class Stored(NamedTuple):
    """A row of the summaries: `urls` is None when they stand in rows of their own."""

    summary: Summary
    urls: bytes | None


class Watermark(NamedTuple):
    """How far a partition's log has come in event time."""

    largest_us: int
    active_at_us: int


_WATERMARK = sa.select(watermarks.c.largest_occurred_at).where(watermarks.c.source_id == sa.bindparam("source"))
_SUMMARIES = sa.select(summaries).where(
    summaries.c.source_id == sa.bindparam("source"),
    summaries.c.window_start.in_(sa.bindparam("windows", expanding=True)),
)
_NOTHING = Stored(Summary(), urls.EMPTY)
_AT_ONCE = 500
"""Windows asked for in one statement; a batch of live events touches one or two."""


def watermark(connection: sa.Connection, source_id: int) -> int | None:
    """The largest occurred_at before the stored offset; None at the start of a log."""
    largest: int | None = connection.execute(_WATERMARK, {"source": source_id}).scalar_one_or_none()
    return largest


def save_watermark(connection: sa.Connection, source_id: int, mark: Watermark) -> None:
    """Remember how far the partition has come, in the transaction that moves its offset."""
    row = {"source_id": source_id, "largest_occurred_at": mark.largest_us, "active_at_us": mark.active_at_us}
    upsert(connection, watermarks, [row])


def apply(connection: sa.Connection, source_id: int, events: Mapping[Key, Events], dropped: Mapping[Key, int]) -> None:
    """Count events in, and dropped ones as dropped."""
    keys = sorted({*events, *dropped})
    stored = _load(connection, source_id, keys)
    changed: list[dict[str, Any]] = []
    for key in keys:
        summary, packed = stored.get(key, _NOTHING)
        if key in events:
            summary = summary.with_events(events[key])
            packed = _count_urls(connection, source_id, key, packed, events[key])
        summary = summary.with_dropped(dropped.get(key, 0))
        changed.append({**_named(source_id, key), **_columns(summary), "urls": packed})
    upsert(connection, summaries, changed)
    marks = [{**_named(source_id, Key(row["window_start"], row["kind"])), "count": row["count"]} for row in changed]
    upsert(connection, unpublished, [mark for mark in marks if Key(mark["window_start"], mark["kind"]) in events])


def stored_from(row: Mapping[Any, Any]) -> Stored:
    """A row of the summaries, as it was written."""
    return Stored(Summary(*(row[name] for name in Summary.__struct_fields__)), row["urls"])


def _load(connection: sa.Connection, source_id: int, keys: list[Key]) -> dict[Key, Stored]:
    windows = sorted({key.window_start for key in keys})
    found: dict[Key, Stored] = {}
    for some in (windows[index : index + _AT_ONCE] for index in range(0, len(windows), _AT_ONCE)):
        for row in connection.execute(_SUMMARIES, {"source": source_id, "windows": some}).mappings():
            found[Key(row["window_start"], row["kind"])] = stored_from(row)
    return found


def _count_urls(
    connection: sa.Connection, source_id: int, key: Key, packed: bytes | None, events: Events
) -> bytes | None:
    """The packed counts with these urls in them; None once they are in rows, which are then written here."""
    counts = urls.add(packed or urls.EMPTY, events.urls, events.url_counts)
    together = urls.pack(counts) if packed is not None else None
    if together is None:
        _add_url_rows(connection, source_id, key, counts)
    return together


def _add_url_rows(connection: sa.Connection, source_id: int, key: Key, counts: Counter[str]) -> None:
    named = _named(source_id, key)
    rows = [{**named, "url": url.encode("utf-8"), "count": count} for url, count in counts.items()]
    upsert(connection, url_counts, rows, add=True)


def _named(source_id: int, key: Key) -> dict[str, Any]:
    return {"source_id": source_id, "window_start": key.window_start, "kind": key.kind}


def _columns(summary: Summary) -> dict[str, Any]:
    return {name: getattr(summary, name) for name in Summary.__struct_fields__}
