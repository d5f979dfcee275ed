"""What every agent has done, by minute: folded from the headers of its results and of its dead letters."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import msgspec
import numpy as np
import sqlalchemy as sa

from consumers.batch import Batch
from consumers.context import Context
from consumers.database import Database, offsets, source_of
from consumers.rollups import buckets
from consumers.rollups.sql import ensure, upsert
from schemas import names as wire

MINUTE_US = 60 * 1_000_000
AGENT = "overview"
UNKNOWN = "unknown"
"""Stands for the agent of a result that does not name one: a stranger has published to a result topic."""
_DEAD_LETTERS = ".dlq"
_PERCENTILES = (Fraction(50, 100), Fraction(99, 100))

metadata = sa.MetaData()

activity = sa.Table(
    "headrace_overview",
    metadata,
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("minute", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("results", sa.BigInteger, nullable=False),
    sa.Column("failures", sa.BigInteger, nullable=False),
    sa.Column("handling_us", sa.LargeBinary, nullable=False),
)
"""By partition, minute and agent; `handling_us` is a state of `rollups.buckets`, so that rows add up and merge exactly."""

_STORED = sa.select(activity).where(
    activity.c.source_id == sa.bindparam("source"), activity.c.minute.in_(sa.bindparam("minutes", expanding=True))
)


class Figures(msgspec.Struct, frozen=True):
    """One agent's minute, or all its minutes together, over all partitions.

    Attributes:
        since_us: when the minute began, or the first of them, in microseconds since the epoch, UTC.
        agent: the agent's name.
        results: events it has published.
        failures: records it has dead-lettered.
        p50_ms: median handling time of the results in milliseconds, at most 1 % off; None without one.
        p99_ms: 99th percentile in milliseconds, at most 1 % off; None without one.
    """

    since_us: int
    agent: str
    results: int
    failures: int
    p50_ms: float | None
    p99_ms: float | None


class _Key(NamedTuple):
    minute: int
    agent: str


class _Counts(NamedTuple):
    results: int = 0
    failures: int = 0
    handling_us: bytes = b""

    def plus(self, other: "_Counts") -> "_Counts":
        handling_us = buckets.merge([self.handling_us, other.handling_us])
        return _Counts(self.results + other.results, self.failures + other.failures, handling_us)


def fold(records: Batch, context: Context) -> list[Any]:
    """Count a batch of results, or of dead letters, by the minute of their timestamps; publishes nothing.

    Raises:
        Unavailable: when the database is.
    """
    if context.connection is None:
        raise RuntimeError("overview needs an open transaction: its agent is exact=True in the catalogue")
    ensure(context.connection, metadata)
    source_id = source_of(context.connection).id
    new = _failures(records) if records.topic.endswith(_DEAD_LETTERS) else _results(records)
    stored = _load(context.connection, source_id, new)
    rows = [
        {"source_id": source_id, **key._asdict(), **stored.get(key, _Counts()).plus(counts)._asdict()}
        for key, counts in sorted(new.items())
    ]
    upsert(context.connection, activity, rows)
    return []


def read(database_url: str, *, since_us: int = 0, group: str = AGENT) -> list[Figures]:
    """Every agent's minutes from `since_us` on, in order of minute and agent; empty before anything was counted.

    Args:
        database_url: as in the settings.
        since_us: in microseconds since the epoch; minutes that ended before it are left out.
        group: the consumer group of the overview agent, with the prefix: `settings.names.group("overview")`.

    Raises:
        Unavailable: when the database is.
    """
    return [_figures(key, counts) for key, counts in sorted(_read(database_url, since_us, group).items())]


def totals(database_url: str, *, since_us: int = 0, group: str = AGENT) -> list[Figures]:
    """The same with each agent's minutes put together, in order of agent; percentiles are those of all its results."""
    firsts: dict[str, int] = {}
    together: dict[str, _Counts] = {}
    for key, counts in sorted(_read(database_url, since_us, group).items()):
        firsts.setdefault(key.agent, key.minute)
        together[key.agent] = together.get(key.agent, _Counts()).plus(counts)
    return [_figures(_Key(firsts[agent], agent), together[agent]) for agent in sorted(together)]


def _results(records: Batch) -> dict[_Key, _Counts]:
    """Results by minute and the agent that their header names, with their handling times."""
    times: dict[_Key, list[int]] = {}
    counts: dict[_Key, int] = {}
    for timestamp_ms, headers in zip(records.timestamps_ms, records.headers, strict=True):
        key = _Key(_minute(timestamp_ms), headers.get(wire.SOURCE_AGENT, UNKNOWN.encode()).decode("utf-8", "replace"))
        counts[key] = counts.get(key, 0) + 1
        taken = headers.get(wire.HANDLING_US, b"")
        if taken.isdigit():
            times.setdefault(key, []).append(min(int(taken), 1 << 62))
    return {
        key: _Counts(number, 0, buckets.add(b"", np.array(times.get(key, []), np.int64)))
        for key, number in counts.items()
    }


def _failures(records: Batch) -> dict[_Key, _Counts]:
    """Dead letters by minute; the topic says whose they are."""
    agent = records.topic.removesuffix(_DEAD_LETTERS)
    minutes, counts = np.unique([_minute(each) for each in records.timestamps_ms], return_counts=True)
    return {
        _Key(minute, agent): _Counts(0, number)
        for minute, number in zip(minutes.tolist(), counts.tolist(), strict=True)
    }


def _minute(timestamp_ms: int) -> int:
    time_us = timestamp_ms * 1000
    return time_us - time_us % MINUTE_US


def _load(connection: sa.Connection, source_id: int, keys: Iterable[_Key]) -> dict[_Key, _Counts]:
    minutes = sorted({key.minute for key in keys})
    rows = connection.execute(_STORED, {"source": source_id, "minutes": minutes})
    return {_Key(row.minute, row.agent): _Counts(row.results, row.failures, row.handling_us) for row in rows}


def _read(database_url: str, since_us: int, group: str) -> dict[_Key, _Counts]:
    """Rows merged over partitions."""
    database = Database(database_url)
    try:
        if not database.holds(metadata):
            return {}
        with database.reading() as connection:
            return _merged(connection.execute(_of_group(group, since_us)))
    finally:
        database.close()


def _of_group(group: str, since_us: int) -> sa.Select[Any]:
    mine = offsets.c.group_name == group
    recent = activity.c.minute > since_us - MINUTE_US
    joined = activity.join(offsets, offsets.c.source_id == activity.c.source_id)
    return sa.select(activity).select_from(joined).where(mine, recent)


def _merged(rows: Iterable[Any]) -> dict[_Key, _Counts]:
    together: dict[_Key, _Counts] = {}
    for row in rows:
        key = _Key(row.minute, row.agent)
        counts = _Counts(row.results, row.failures, row.handling_us)
        together[key] = together.get(key, _Counts()).plus(counts)
    return together


def _figures(key: _Key, counts: _Counts) -> Figures:
    if not counts.handling_us:
        return Figures(*key, counts.results, counts.failures, None, None)
    p50_us, p99_us = buckets.percentiles(counts.handling_us, _PERCENTILES)
    return Figures(*key, counts.results, counts.failures, p50_us / 1000, p99_us / 1000)
