"""Logs of activity, and what analytics must have stored of them: computed in plain Python, event by event."""

import hashlib
import struct
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import msgspec
import polars as pl
import sqlalchemy as sa

from consumers.batch import Batch
from consumers.context import Context
from consumers.database import Database, offsets
from consumers.rollups import distinct, tables, urls
from consumers.runtime.state import Position, State

TOPIC = "activity.recorded"
MINUTE = 60_000_000
START = 1_790_000_040_000_000  # on a minute


@dataclass(frozen=True)
class Act:
    """One record: what a test says of it."""

    at_us: int
    kind: str = "view"
    user: str = "anna"
    url: str = "/"
    duration_ms: int = 10
    headers: dict[str, bytes] = field(default_factory=dict)
    timestamp_ms: int | None = None


def batch(partition: int, first_offset: int, acts: list[Act]) -> Batch:
    frame = pl.DataFrame(
        {
            "occurred_at": [act.at_us for act in acts],
            "user_id": [act.user for act in acts],
            "kind": [act.kind for act in acts],
            "url": [act.url for act in acts],
            "duration_ms": [act.duration_ms for act in acts],
        },
        schema_overrides={"duration_ms": pl.Int32, "occurred_at": pl.Int64},
    )
    times = [act.at_us // 1000 if act.timestamp_ms is None else act.timestamp_ms for act in acts]
    numbers = range(first_offset, first_offset + len(acts))
    return Batch(TOPIC, partition, list(numbers), times, [act.headers for act in acts], frame)


def position(partition: int, topic_id: str = "log-1") -> Position:
    return Position(topic_id, TOPIC, partition)


def run(state: State, handler: Any, partition: int, acts: list[Act], *, first: int, agent: str = "analytics") -> Any:
    """One transaction of one batch, as the runtime does it."""
    with state.transaction(position(partition), expected=first, following=first + len(acts)) as connection:
        return handler(batch(partition, first, acts), Context(agent=agent, connection=connection))


def stored_rows(url: str, group: str) -> dict[tuple[int, int, str], tuple[Any, ...]]:
    """Every summary of a group by partition, window and kind: all its columns, and the rows of urls beside them."""
    database = Database(url)
    database.create(tables.metadata)
    with database.reading() as connection:
        mine = sa.select(offsets.c.partition, tables.summaries).join_from(
            offsets, tables.summaries, tables.summaries.c.source_id == offsets.c.source_id
        )
        found: dict[tuple[int, int, str], tuple[Any, ...]] = {}
        for row in connection.execute(mine.where(offsets.c.group_name == group)):
            partition, source_id, window, kind, *rest = row
            loose = sa.select(tables.url_counts.c.url, tables.url_counts.c["count"]).where(
                tables.url_counts.c.source_id == source_id,
                tables.url_counts.c.window_start == window,
                tables.url_counts.c.kind == kind,
            )
            found[partition, window, kind] = (*rest, {bytes(u): n for u, n in connection.execute(loose)})
    database.close()
    return found


def stored_watermarks(url: str, group: str) -> dict[int, int]:
    """The largest occurred_at of each partition that has one."""
    with closing(Database(url)) as database, database.reading() as connection:
        joined = offsets.join(tables.watermarks, tables.watermarks.c.source_id == offsets.c.source_id)
        chosen = sa.select(offsets.c.partition, tables.watermarks.c.largest_occurred_at).select_from(joined)
        return {
            row.partition: row.largest_occurred_at
            for row in connection.execute(chosen.where(offsets.c.group_name == group))
        }


def expected_rows(logs: list[list[Act]], *, grace_us: int = 60_000_000) -> dict[tuple[int, int, str], tuple[Any, ...]]:
    """The rows that these logs, one a partition, must leave behind."""
    rows: dict[tuple[int, int, str], tuple[Any, ...]] = {}
    for partition, log in enumerate(logs):
        counted, dropped = _applied(log, grace_us)
        for window, kind in {*counted, *dropped}:
            rows[partition, window, kind] = _row(counted.get((window, kind), []), dropped[window, kind])
    return rows


def _applied(log: list[Act], grace_us: int) -> tuple[dict[tuple[int, str], list[Act]], Counter[tuple[int, str]]]:
    largest, counted, dropped = -1, {}, Counter()
    for act in log:
        key = (act.at_us - act.at_us % MINUTE, act.kind)
        again = {"headrace-replay", "headrace-attempts", "headrace-origin-topic"} & set(act.headers)
        if largest - act.at_us > grace_us and not again:
            dropped[key] += 1
        else:
            counted.setdefault(key, []).append(act)
            largest = max(largest, act.at_us)
    return counted, dropped


def _row(acts: list[Act], dropped: int) -> tuple[Any, ...]:
    durations = [act.duration_ms for act in acts]
    counts = Counter(act.url for act in acts)
    packed = len(counts) <= urls.PACKED_UP_TO
    return (
        len(acts),
        dropped,
        sum(durations),
        min(durations, default=None),
        max(durations, default=None),
        _buckets(durations),
        _users({act.user for act in acts}) if acts else b"",
        msgspec.msgpack.encode(dict(sorted(counts.items()))) if packed else None,
        {} if packed else {url.encode(): count for url, count in counts.items()},
    )


def _buckets(durations: list[int]) -> bytes:
    counts = Counter(bucket_of(duration) for duration in durations)
    used = sorted(counts)
    return struct.pack(f"<{len(used)}H", *used) + struct.pack(f"<{len(used)}q", *(counts[index] for index in used))


def bucket_of(value: int) -> int:
    upper, index = 0, 0
    while value > upper:
        upper, index = int((upper + 1) * Fraction(101, 99)), index + 1
    return index


def _users(users: set[str]) -> bytes:
    hashes = sorted(int.from_bytes(hashlib.blake2b(user.encode(), digest_size=8).digest(), "little") for user in users)
    if len(hashes) <= distinct.EXACT_UP_TO:
        return b"\x00" + struct.pack(f"<{len(hashes)}Q", *hashes)
    registers = [0] * 4096
    for value in hashes:
        rank = 53 - (value & (2**52 - 1)).bit_length()
        registers[value >> 52] = max(registers[value >> 52], rank)
    return b"\x01" + bytes(registers)
