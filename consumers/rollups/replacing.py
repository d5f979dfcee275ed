"""A replay's windows in place of the live ones: compared, replaced and marked for publishing, in one transaction."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from consumers.database import offsets
from consumers.rollups import closing
from consumers.rollups.reading import sources
from consumers.rollups.rows import Key
from consumers.rollups.sql import ensure, upsert
from consumers.rollups.tables import clocks, metadata, revisions, summaries, unpublished, url_counts, watermarks

_Rows = dict[Key, dict[str, Any]]


class Stand(NamedTuple):
    """A partition's offset row: its id, and the next offset."""

    source_id: int
    next_offset: int


def lock(connection: sa.Connection, group: str, topic_id: str) -> dict[int, Stand]:
    """Where a group stands in a log, by partition; until this transaction ends, no writer moves it and no window closes.

    In SQLite a transaction that may write is alone anyway.
    """
    ensure(connection, metadata)
    closing.exclude(connection, group)
    rows = sa.select(offsets).where(offsets.c.group_name == group, offsets.c.topic_id == topic_id)
    found = connection.execute(rows.order_by(offsets.c.source_id).with_for_update())
    return {row.partition: Stand(row.source_id, row.next_offset) for row in found}


def replace(
    connection: sa.Connection, group: str, pairs: Iterable[tuple[int, int]], *, since_us: int, until_us: int
) -> list[Key]:
    """Put shadow rows in the place of live ones; what is the same stays untouched, and is not published again.

    Args:
        connection: with both groups' rows locked.
        group: the live one.
        pairs: the live and the shadow source of each partition.
        since_us: the first window's start, in microseconds since the epoch.
        until_us: the start of the first window that is left alone.

    Returns:
        The windows that have changed.
    """
    changed: set[Key] = set()
    for live, shadow in pairs:
        before, after = _rows(connection, live, since_us, until_us), _rows(connection, shadow, since_us, until_us)
        differing = [key for key in {*before, *after} if before.get(key) != after.get(key)]
        _delete(connection, live, differing)
        _insert(connection, live, {key: after[key] for key in differing if key in after})
        changed |= set(differing)
    _mark(connection, group, sorted(changed))
    return sorted(changed)


def forget(connection: sa.Connection, group: str) -> None:
    """Delete all rows of a shadow group, its offsets among them."""
    ensure(connection, metadata)
    for table in (summaries, url_counts, watermarks, unpublished):
        connection.execute(sa.delete(table).where(table.c.source_id.in_(sources(group))))
    for table in (revisions, clocks, offsets):
        connection.execute(sa.delete(table).where(table.c.group_name == group))


def earliest(connection: sa.Connection, group: str) -> int | None:
    """The start of the first window that a group has counted in, in microseconds since the epoch."""
    first: int | None = connection.execute(
        sa.select(sa.func.min(summaries.c.window_start)).where(summaries.c.source_id.in_(sources(group)))
    ).scalar_one()
    return first


def _rows(connection: sa.Connection, source_id: int, since_us: int, until_us: int) -> _Rows:
    """A partition's rows by window and kind, without the source; `loose` holds the counts by url that stand beside them."""
    found: _Rows = {}
    for row in connection.execute(_within(summaries, source_id, since_us, until_us)).mappings():
        plain = {name: value for name, value in row.items() if name != "source_id"}
        found[Key(row["window_start"], row["kind"])] = {**plain, "loose": {}}
    for row in connection.execute(_within(url_counts, source_id, since_us, until_us)).mappings():
        found[Key(row["window_start"], row["kind"])]["loose"][bytes(row["url"])] = row["count"]
    return found


def _within(table: sa.Table, source_id: int, since_us: int, until_us: int) -> sa.Select[Any]:
    start = table.c.window_start
    return sa.select(table).where(table.c.source_id == source_id, start >= since_us, start < until_us)


def _delete(connection: sa.Connection, source_id: int, keys: list[Key]) -> None:
    gone = [{"its_window": key.window_start, "its_kind": key.kind} for key in keys]
    for table in (summaries, url_counts, unpublished) if gone else ():
        here = sa.and_(table.c.window_start == sa.bindparam("its_window"), table.c.kind == sa.bindparam("its_kind"))
        connection.execute(sa.delete(table).where(table.c.source_id == source_id, here), gone)


def _insert(connection: sa.Connection, source_id: int, rows: _Rows) -> None:
    new = [{**row, "source_id": source_id} for row in rows.values()]
    loose = [
        {"source_id": source_id, "window_start": key.window_start, "kind": key.kind, "url": url, "count": count}
        for key, row in rows.items()
        for url, count in row["loose"].items()
    ]
    upsert(connection, summaries, [{name: row[name] for name in summaries.columns.keys()} for row in new])  # noqa: SIM118
    upsert(connection, url_counts, loose)


def _mark(connection: sa.Connection, group: str, keys: list[Key]) -> None:
    """Have what has changed published again, as the next revision of its window."""
    starts = sorted({key.window_start for key in keys})
    wanted = set(keys)
    chosen = sa.select(*(summaries.c[name] for name in unpublished.columns.keys()))  # noqa: SIM118
    for start in starts:
        rows = connection.execute(
            chosen.where(summaries.c.window_start == start, summaries.c.source_id.in_(sources(group)))
        ).mappings()
        marks = [row for row in rows if Key(row["window_start"], row["kind"]) in wanted]
        upsert(connection, unpublished, [{str(name): value for name, value in mark.items()} for mark in marks])
