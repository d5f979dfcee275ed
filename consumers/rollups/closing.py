"""When windows close, and what is published of them.

A window is closed by whoever finds that the lowest watermark has passed its end and the grace: the partition that moves the
watermark over a minute's end, or the tick. One closes at a time; in SQLite a transaction is alone anyway, in PostgreSQL a
second one finds the lock taken and leaves the windows to the first, or to the next tick.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from consumers.database import offsets
from consumers.rollups.lateness import GRACE_US
from consumers.rollups.reading import Window, chosen, sources
from consumers.rollups.rows import Key
from consumers.rollups.sql import upsert
from consumers.rollups.summary import WINDOW_US
from consumers.rollups.tables import clocks, revisions, unpublished, watermarks

IDLE_US = 60 * 1_000_000
"""A partition without records for so long, by the clock and while the agent runs, no longer holds windows open."""
_BREAK_US = 10 * 1_000_000
"""Without a tick for so long the agent wasn't running (it ticks once a second), and nothing can be said of who is idle."""
_LOCK_CLASS = 0x726F6C6C


def crossed(before_us: int | None, after_us: int) -> bool:
    """Whether a partition's watermark has moved over a point where a window may close."""
    return before_us is None or (before_us - GRACE_US) // WINDOW_US != (after_us - GRACE_US) // WINDOW_US


def tick(connection: sa.Connection, group: str, now_us: int) -> None:
    """Remember that the agent runs."""
    ticked = connection.execute(sa.select(clocks).where(clocks.c.group_name == group)).one_or_none()
    unbroken = ticked is not None and now_us - ticked.ticked_at_us <= _BREAK_US
    since_us = ticked.running_since_us if ticked is not None and unbroken else now_us
    upsert(connection, clocks, [{"group_name": group, "running_since_us": since_us, "ticked_at_us": now_us}])


def close(connection: sa.Connection, group: str, now_us: int) -> list[tuple[Window, int]]:
    """Close what is due: windows with their revision, in order; each revision is returned to one transaction only."""
    low_us = _lowest_watermark(connection, group, now_us)
    if low_us is None or not _alone(connection, group):
        return []
    due = _due(connection, group, low_us - GRACE_US - WINDOW_US)
    windows = chosen(connection, group, due)
    _forget(connection, windows)
    return list(zip(windows, _revise(connection, group, windows), strict=True))


def _lowest_watermark(connection: sa.Connection, group: str, now_us: int) -> int | None:
    """Of the partitions that aren't idle; None while one of them is at its start; the clock's time when all are idle.

    Those of the retry topics don't count: what comes there comes again, and says nothing of how far time has come.
    """
    active = sa.select(watermarks.c.largest_occurred_at, watermarks.c.active_at_us)
    joined = offsets.outerjoin(watermarks, watermarks.c.source_id == offsets.c.source_id)
    of_group = offsets.c.group_name == group
    live = ~offsets.c.topic.startswith(f"{group}.retry.", autoescape=True)
    rows = connection.execute(active.select_from(joined).where(of_group, live)).all()
    idle_before_us = _idle_before(connection, group, now_us)
    holding = [largest_us for largest_us, active_at_us in rows if (active_at_us or 0) >= idle_before_us]
    return None if None in holding else min(holding, default=now_us)


def _idle_before(connection: sa.Connection, group: str, now_us: int) -> int:
    """Partitions last active before this are idle; 0 when none can be, because the agent has just begun to run."""
    ticked = connection.execute(sa.select(clocks).where(clocks.c.group_name == group)).one_or_none()
    if ticked is None or now_us - ticked.ticked_at_us > _BREAK_US or now_us - ticked.running_since_us < IDLE_US:
        return 0
    return now_us - IDLE_US


def exclude(connection: sa.Connection, group: str) -> None:
    """Keep windows from closing until this transaction ends; waits for one that is closing now."""
    if connection.dialect.name == "postgresql":
        taken: Any = sa.func.pg_advisory_xact_lock(_LOCK_CLASS, sa.func.hashtext(group))
        connection.execute(sa.select(taken))


def _alone(connection: sa.Connection, group: str) -> bool:
    if connection.dialect.name != "postgresql":
        return True
    taken: Any = sa.func.pg_try_advisory_xact_lock(_LOCK_CLASS, sa.func.hashtext(group))
    return bool(connection.execute(sa.select(taken)).scalar_one())


def _due(connection: sa.Connection, group: str, latest_start_us: int) -> list[Key]:
    changed = sa.select(unpublished.c.window_start, unpublished.c.kind).distinct()
    passed = unpublished.c.window_start <= latest_start_us
    rows = connection.execute(changed.where(passed, unpublished.c.source_id.in_(sources(group))))
    return sorted(Key(row.window_start, row.kind) for row in rows)


def _forget(connection: sa.Connection, windows: Iterable[Window]) -> None:
    """Take the marks of what is published now; a partition that has counted on meanwhile keeps its mark."""
    same = sa.and_(*(column == sa.bindparam(f"its_{column.name}") for column in unpublished.columns))
    marks = [
        {"its_source_id": source_id, "its_window_start": key.window_start, "its_kind": key.kind, "its_count": count}
        for key, counts in ((window.key, window.counts) for window in windows)
        for source_id, count in counts.items()
    ]
    if marks:
        connection.execute(sa.delete(unpublished).where(same), marks)


def _revise(connection: sa.Connection, group: str, windows: list[Window]) -> list[int]:
    """Each window's next revision: 0 for its first."""
    if not windows:
        return []
    starts = [window.key.window_start for window in windows]
    near = revisions.c.window_start.between(min(starts), max(starts))
    rows = connection.execute(sa.select(revisions).where(revisions.c.group_name == group, near))
    last = {Key(row.window_start, row.kind): row.revision for row in rows}
    following = [last.get(window.key, -1) + 1 for window in windows]
    new = [
        {"group_name": group, "window_start": window.key.window_start, "kind": window.key.kind, "revision": revision}
        for window, revision in zip(windows, following, strict=True)
    ]
    upsert(connection, revisions, new)
    return following
