"""Activity by minute and kind: counted from columns, kept in the transaction that moves the offset."""

from fractions import Fraction
from typing import Any, cast

import msgspec
import sqlalchemy as sa

from consumers.batch import Batch
from consumers.context import Context
from consumers.database import Database, group_of, source_of
from consumers.rollups import buckets, closing, distinct, tables
from consumers.rollups.columns import Columns
from consumers.rollups.lateness import judge
from consumers.rollups.reading import Window, between
from consumers.rollups.rows import Watermark, apply, save_watermark, watermark
from consumers.rollups.sql import ensure
from consumers.rollups.summary import WINDOW_US
from schemas.event import derived_event_id, now_us
from schemas.records import ActivityKind, ActivityRolledUp, UrlCount

_FOREVER_US = 1 << 62
PERCENTILES = (Fraction(50, 100), Fraction(95, 100), Fraction(99, 100))


def roll_up(activity: Batch, context: Context) -> list[ActivityRolledUp]:
    """Count a batch of ActivityRecorded into its partition's rows; returns the windows that this closes.

    Raises:
        RejectSome: naming the records whose values cannot be right; nothing of the batch is counted then.
        Unavailable: when the database is.
    """
    connection = _connection(context)
    ensure(connection, tables.metadata)
    source = source_of(connection)
    columns = Columns.of(activity.frame)
    before_us = watermark(connection, source.id)
    judged = judge(activity, columns.occurred_us, columns.durations_ms, before_us)
    apply(connection, source.id, columns.events(~judged.late), columns.counts(judged.late))
    save_watermark(connection, source.id, Watermark(judged.largest_us, now_us()))
    return _closed(connection, context) if closing.crossed(before_us, judged.largest_us) else []


def close_idle(context: Context) -> list[ActivityRolledUp]:
    """Called about once a second: close the windows that no partition with records holds open any longer."""
    connection = _connection(context)
    ensure(connection, tables.metadata)
    closing.tick(connection, group_of(connection), now_us())
    return _closed(connection, context)


def read(database_url: str, *, since_us: int = 0, group: str = "analytics") -> list[dict[str, Any]]:
    """The windows from `since_us` on, merged over partitions, in order; empty before anything was counted.

    Args:
        database_url: as in the settings.
        since_us: in microseconds since the epoch; windows that ended before it are left out.
        group: the consumer group of the analytics agent, with the prefix.

    Returns:
        The fields of ActivityRolledUp that a window has while it is open, `dropped` events, and its `top_url`.

    Raises:
        Unavailable: when the database is.
    """
    database = Database(database_url)
    try:
        if not database.holds(tables.metadata):
            return []
        with database.reading() as connection:
            windows = between(connection, group, since_us=since_us - WINDOW_US + 1, until_us=_FOREVER_US)
    finally:
        database.close()
    return [_shown(window) for window in windows]


def rolled_up(window: Window, *, revision: int, agent: str) -> ActivityRolledUp:
    """A window as it is published: the same window, kind and revision give the same event_id."""
    window_start, summary = window.key.window_start, window.summary
    kind = cast("ActivityKind", window.key.kind)
    end = window_start + WINDOW_US
    p50, p95, p99 = buckets.percentiles(summary.durations, PERCENTILES)
    return ActivityRolledUp(
        event_id=derived_event_id(occurred_at_us=end, source=f"{window_start}/{kind}/{revision}", agent=agent, index=0),
        occurred_at=end,
        window_start=window_start,
        window_end=end,
        kind=kind,
        revision=revision,
        count=summary.count,
        distinct_users=distinct.count(summary.users),
        duration_sum_ms=summary.duration_sum_ms,
        duration_min_ms=summary.duration_min_ms or 0,
        duration_max_ms=summary.duration_max_ms or 0,
        duration_mean_ms=summary.duration_sum_ms / max(summary.count, 1),
        duration_p50_ms=p50,
        duration_p95_ms=p95,
        duration_p99_ms=p99,
        top_urls=tuple(UrlCount(url=url, count=count) for url, count in window.top_urls),
    )


def _shown(window: Window) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(rolled_up(window, revision=0, agent=""))
    kept = {name: value for name, value in fields.items() if name not in {"event_id", "occurred_at", "revision"}}
    top_url = window.top_urls[0][0] if window.top_urls else None
    return {**kept, "dropped": window.summary.dropped, "top_url": top_url}


def _closed(connection: sa.Connection, context: Context) -> list[ActivityRolledUp]:
    due = closing.close(connection, group_of(connection), now_us())
    return [rolled_up(window, revision=revision, agent=context.agent) for window, revision in due]


def _connection(context: Context) -> sa.Connection:
    if context.connection is None:
        raise RuntimeError("analytics needs an open transaction: its agent is exact=True in the catalogue")
    return context.connection
