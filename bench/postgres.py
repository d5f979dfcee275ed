"""`python -m bench.postgres URL`: what the analytics agent's transactions cost a PostgreSQL on this machine."""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import polars as pl
import psutil
import sqlalchemy as sa
from sqlalchemy import event

from bench.events import activities
from bench.machine import about
from consumers import analytics
from consumers.batch import Batch
from consumers.context import Context
from consumers.rollups.summary import WINDOW_US
from consumers.runtime.state import Position, State
from schemas.event import now_us

SIZES = (100, 1_000, 10_000, 60_000)
"""Records of one transaction: the catalogue's agent takes up to 60,000."""
TRANSACTIONS = 200
_EVENTS = 100_000
"""Different ones, again and again: of all 20,000 users and all pages."""
_SPAN_US = 30_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What one transaction costs, with so many records in it.

    Attributes:
        records: how many.
        seconds: the median, handler and commit together.
        server_cpu_s: of all processes of the database, the mean.
        wal_bytes: written to the write-ahead log, the mean.
        rows: written, without those of TOAST tables and indexes.
        round_trips: statements, and the commit.
    """

    records: int
    seconds: float
    server_cpu_s: float
    wal_bytes: float
    rows: float
    round_trips: float


def measure(url: str, frame: pl.DataFrame, *, records: int, transactions: int = TRANSACTIONS) -> Cost:
    """Count so many batches of one partition and minute, one after another, as the agent does.

    The minute's rows are as full as they get before the first that is measured: all of the frame is counted before.

    Args:
        url: of the database.
        frame: events, as the agent gets them.
        records: of each batch.
        transactions: how many are measured.
    """
    position = Position("bench", "activity.recorded", 0)
    state, server = State(url, group=f"bench-{now_us()}"), sa.create_engine(url)
    state.begin(position, 0)
    _count(state, position, _batch(frame, 0, len(frame)))
    seconds, written, before = [], Written(), _stand(server)
    for first in range(len(frame), len(frame) + transactions * records, records):
        batch = _batch(frame, first, records)
        started_s = time.perf_counter()
        with written.counting():
            _count(state, position, batch)
        seconds.append(time.perf_counter() - started_s)
    cpu_s, wal_bytes = (now - then for now, then in zip(_stand(server), before, strict=True))
    state.close()
    server.dispose()
    return Cost(
        records=records,
        seconds=round(statistics.median(seconds), 6),
        server_cpu_s=round(cpu_s / transactions, 6),
        wal_bytes=round(wal_bytes / transactions),
        rows=written.rows / transactions,
        round_trips=written.statements / transactions + 1,
    )


class Written:
    """Statements, and rows that they write."""

    def __init__(self) -> None:
        self.statements = self.rows = 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count what any engine executes meanwhile."""
        event.listen(sa.Engine, "after_cursor_execute", self._note)
        try:
            yield
        finally:
            event.remove(sa.Engine, "after_cursor_execute", self._note)

    def _note(self, _connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        self.statements += 1
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            self.rows += cursor.rowcount


def _count(state: State, position: Position, batch: Batch) -> None:
    first, following = batch.offsets[0], batch.offsets[-1] + 1
    with state.transaction(position, expected=first, following=following) as connection:
        analytics.roll_up(batch, Context(connection=connection))


def events() -> pl.DataFrame:
    """The bench's events within half a minute of event time: what the batches of a live topic touch."""
    start_us = now_us() // WINDOW_US * WINDOW_US
    rows = [msgspec.structs.asdict(made) for made in activities(_EVENTS)]
    times_us = [start_us + index * _SPAN_US // _EVENTS for index in range(_EVENTS)]
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(occurred_at=pl.Series(times_us, dtype=pl.Int64))


def _batch(frame: pl.DataFrame, first: int, records: int) -> Batch:
    part = frame[[number % len(frame) for number in range(first, first + records)]]
    times_ms = (part["occurred_at"] // 1000).to_list()
    offsets = range(first, first + records)
    return Batch("activity.recorded", 0, offsets, times_ms, [{}] * records, part)


def _stand(server: sa.Engine) -> tuple[float, float]:
    """CPU seconds of the server's processes, and bytes of its write-ahead log, since it began."""
    with server.connect() as connection:
        backend, wal_bytes = connection.execute(
            sa.text("SELECT pg_backend_pid(), pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        ).one()
    postmaster = psutil.Process(backend).parent()
    processes = [] if postmaster is None else [postmaster, *postmaster.children()]
    times = [process.cpu_times() for process in processes]
    return sum(used.user + used.system for used in times), float(wal_bytes)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the costs of each size as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.postgres", description=__doc__)
    parser.add_argument("url", help="postgresql+psycopg://…, an empty database of a server on this machine")
    url = parser.parse_args(argv).url
    frame = events()
    costs = [asdict(measure(url, frame, records=size)) for size in SIZES]
    print(json.dumps({"transactions": costs, **about()}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
