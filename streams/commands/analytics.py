"""`headrace analytics`: activity by minute and kind, as the analytics agent has stored it."""

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from schemas.errors import MissingExtraError, UnreachableError
from schemas.settings import Settings, from_environment
from streams.commands import output as listing

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60
"""Columns of a sparkline: fits beside a kind and a total on a terminal of 80."""
_COLUMNS = (
    "window_start", "kind", "count", "distinct_users", "duration_mean_ms", "duration_p50_ms", "duration_p95_ms",
    "duration_p99_ms", "dropped", "top_url",
)  # fmt: skip


@click.command("analytics")
@click.option(
    "--since",
    default="@-1h",
    show_default=True,
    help="From when on: start, @-30m, @-2d, or a time like @2026-11-22T10:00:00Z.",
)
@listing.option
def command(since: str, output: listing.Format) -> None:
    """Show activity by minute and kind: counts, users, durations, the most used page, and a sparkline for each kind.

    Events that came too late to be counted are listed as dropped.

    \b
    Examples:
      headrace analytics
      headrace analytics --since @-15m
      headrace analytics --since @2026-11-22T10:00:00Z -o json
    """
    settings = from_environment()
    since_us = _micros(since)
    rows = _rows(settings, since_us)
    if not rows:
        click.echo(
            f"no activity since {_iso(since_us)} for group {settings.names.group('analytics')}: start the agent "
            "(faust -A streams worker --agents analytics), publish to activity.recorded, or look further back "
            "(--since start)",
            err=True,
        )
    if rows or output != "table":
        listing.rows(rows, output, columns=_COLUMNS)
    if rows and output == "table":
        click.echo("\n" + "\n".join(_lines(rows)))


def _rows(settings: Settings, since_us: int) -> list[dict[str, Any]]:
    try:
        import sqlalchemy  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("analytics", "sqlalchemy") from error
    from consumers import analytics
    from consumers.errors import Unavailable

    group = settings.names.group("analytics")
    try:
        rows = analytics.read(settings.database_url, since_us=since_us, group=group)
    except Unavailable as error:
        raise UnreachableError(str(error)) from error
    return [{**row, **{end: _iso(row[end]) for end in ("window_start", "window_end")}} for row in rows]


def _micros(text: str) -> int:
    """A moment in microseconds since the epoch, UTC, in the grammar of positions as far as it speaks of time."""
    if text == "start":
        return 0
    ago = re.fullmatch(r"@-(\d{1,9})([smhd])", text)
    if ago:
        return time.time_ns() // 1000 - timedelta(**{_UNITS[ago[2]]: int(ago[1])}) // timedelta(microseconds=1)
    try:
        moment = datetime.fromisoformat(text.removeprefix("@"))
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no time: use start, @-30m, @-1h, @-2d or @2026-11-22T10:00:00Z", param_hint="--since"
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def _iso(time_us: int) -> str:
    return (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=time_us)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A sparkline for each kind, over the time from the first window to the last."""
    starts = sorted({row["window_start"] for row in rows})
    first, last = (datetime.fromisoformat(start) for start in (starts[0], starts[-1]))
    minutes = (last - first) // timedelta(minutes=1) + 1
    kinds = sorted({row["kind"] for row in rows})
    width = max(map(len, kinds))
    series = {kind: [0] * min(minutes, _WIDTH) for kind in kinds}
    for row in rows:
        minute = (datetime.fromisoformat(row["window_start"]) - first) // timedelta(minutes=1)
        series[row["kind"]][minute * len(series[row["kind"]]) // minutes] += row["count"]
    lines = [f"{kind:<{width}}  {sparkline(counts)}  {sum(counts):,} events" for kind, counts in series.items()]
    return [f"{starts[0]} to {starts[-1]}", *lines]


def sparkline(counts: Sequence[int]) -> str:
    """One character a number, from nothing to the largest of them."""
    most = max(counts, default=0)
    return "".join(_BARS[-(-count * len(_BARS) // most) - 1] if count else " " for count in counts)
