"""Activity by minute and kind: counted from columns, kept in the transaction that moves the offset."""

from fractions import Fraction
from typing import cast

import sqlalchemy as sa

from consumers.batch import Batch
from consumers.context import Context
from consumers.database import group_of, source_of
from consumers.rollups import buckets, closing, distinct, tables
from consumers.rollups.columns import Columns
from consumers.rollups.lateness import judge
from consumers.rollups.reading import Window
from consumers.rollups.rows import Watermark, apply, save_watermark, watermark
from consumers.rollups.summary import WINDOW_US
from schemas.event import derived_event_id, now_us
from schemas.records import ActivityKind, ActivityRolledUp, UrlCount

PERCENTILES = (Fraction(50, 100), Fraction(95, 100), Fraction(99, 100))


def roll_up(activity: Batch, context: Context) -> list[ActivityRolledUp]:
    """Count a batch of ActivityRecorded into its partition's rows; returns the windows that this closes.

    Raises:
        RejectSome: naming the records whose values cannot be right; nothing of the batch is counted then.
        Unavailable: when the database is.
    """
    connection = _connection(context)
    tables.ensure(connection)
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
    tables.ensure(connection)
    closing.tick(connection, group_of(connection), now_us())
    return _closed(connection, context)


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


def _closed(connection: sa.Connection, context: Context) -> list[ActivityRolledUp]:
    due = closing.close(connection, group_of(connection), now_us())
    return [rolled_up(window, revision=revision, agent=context.agent) for window, revision in due]


def _connection(context: Context) -> sa.Connection:
    if context.connection is None:
        raise RuntimeError("analytics needs an open transaction: its agent is exact=True in the catalogue")
    return context.connection
