"""The exact agent: a row a record, in the transaction of its offsets. No key forbids a second row, so that one would show."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import sqlalchemy as sa

from consumers.batch import Batch
from consumers.context import Context
from consumers.rollups.sql import ensure
from tests.chaos.headers import number_of

metadata = sa.MetaData()
table = sa.Table(
    "chaos_rows",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("at_ns", sa.BigInteger, nullable=False),
    sa.Column("pid", sa.BigInteger, nullable=False),
    sa.Column("intact", sa.Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: which record, and when and by which process it was written, which is before its transaction ended."""

    number: int
    partition: int
    offset: int
    at_ns: int
    pid: int
    intact: bool


def write(tasks: Batch, context: Context) -> None:
    """One row a task."""
    columns = [tasks.frame[name].to_list() for name in ("number", "payload", "digest")]
    seen = [(number, sha256(payload).hexdigest() == digest) for number, payload, digest in zip(*columns, strict=True)]
    _insert(tasks, context, seen)


def take(records: Batch, context: Context) -> None:
    """After the mending: one row a record, whatever it holds, for its headers say what it is."""
    _insert(records, context, [(number_of(headers), True) for headers in records.headers])


def _insert(records: Batch, context: Context, seen: Iterable[tuple[int, bool]]) -> None:
    connection = context.connection
    if connection is None:
        raise RuntimeError("an exact agent has a connection")
    ensure(connection, metadata)
    common = {"partition": records.partition, "at_ns": time.time_ns(), "pid": os.getpid()}
    rows = [
        {**common, "offset": offset, "number": number, "intact": intact}
        for offset, (number, intact) in zip(records.offsets, seen, strict=True)
    ]
    connection.execute(sa.insert(table), rows)


def read(database_url: str) -> list[Row]:
    """All rows, in the order of their writing."""
    engine = sa.create_engine(database_url)
    try:
        with engine.connect() as connection:
            if not sa.inspect(connection).has_table(table.name):
                return []
            found = connection.execute(sa.select(table).order_by(table.c.id)).all()
            return [Row(row.number, row.partition, row.offset, row.at_ns, row.pid, row.intact) for row in found]
    finally:
        engine.dispose()
