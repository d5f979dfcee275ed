"""Exact state: an agent's rows, its results and its offsets, in one database transaction."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from consumers.database import BigKey, Database, Source, marked, metadata, offsets
from consumers.errors import FencedError
from consumers.runtime.offsets import Committed
from schemas.errors import HeadraceError

__all__ = ["FencedError", "OutboxMessage", "Position", "State"]

FORMAT = 1
"""The version of an offset row's meaning; a row of another version is never guessed at."""
_KEPT_S = 7 * 24 * 3600
"""How long a published message's id is remembered: as long as the topic keeps the message itself, by default."""

outbox = sa.Table(
    "headrace_outbox",
    metadata,
    sa.Column("number", BigKey, primary_key=True),
    sa.Column("group_name", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("key", sa.LargeBinary),
    sa.Column("value", sa.LargeBinary),
    sa.Column("headers", sa.LargeBinary),
    sa.Column("published_at_s", sa.BigInteger),
    sa.UniqueConstraint("group_name", "id"),
    sa.Index("headrace_outbox_pending", "group_name", "published_at_s", "number"),
    sqlite_autoincrement=True,
)


_OF_POSITION = sa.and_(
    offsets.c.group_name == sa.bindparam("of_group"),
    offsets.c.topic_id == sa.bindparam("of_topic_id"),
    offsets.c.topic == sa.bindparam("of_topic"),
    offsets.c.partition == sa.bindparam("of_partition"),
)
_START = sa.select(offsets.c.next_offset, offsets.c.format).where(_OF_POSITION)
_FORMER = (
    sa.select(offsets.c.topic_id, offsets.c.next_offset)
    .where(
        offsets.c.group_name == sa.bindparam("of_group"),
        offsets.c.topic_id != sa.bindparam("of_topic_id"),
        offsets.c.topic == sa.bindparam("of_topic"),
        offsets.c.partition == sa.bindparam("of_partition"),
    )
    .order_by(offsets.c.source_id.desc())
    .limit(1)
)
_MOVE = (
    sa.update(offsets)
    .where(_OF_POSITION, offsets.c.next_offset == sa.bindparam("expected"), offsets.c.format == FORMAT)
    .values(next_offset=sa.bindparam("following"))
    .returning(offsets.c.source_id)
)
"""Statements are built once: building one takes SQLAlchemy longer than running it takes the database."""


class OffsetFormatError(HeadraceError):
    """Raised when an offset row was written by a version of Headrace that this one does not know."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Position:
    """One partition of one log.

    Attributes:
        topic_id: Kafka's id of the topic; a topic that was created again is another log.
        topic: its name on the broker.
        partition: from 0.
    """

    topic_id: str
    topic: str
    partition: int


class OutboxMessage(msgspec.Struct, frozen=True):
    """A result that waits in the database until the broker has acknowledged it.

    Attributes:
        id: the event's id; unique in its group.
        topic: the topic's name on the broker.
        key: as on the wire.
        value: as on the wire.
        headers: as on the wire.
    """

    id: str
    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class State:
    """The stored offsets and the outbox of one group; safe to share between threads, not between processes.

    Args:
        database_url: `sqlite:///path/file.db` or a PostgreSQL URL; missing tables, and the file's folder, are created at
            the first use.
        group: the consumer group.

    Raises:
        Unavailable: by every method, when the database is down, locked or full.
    """

    def __init__(self, database_url: str, *, group: str) -> None:
        self._group = group
        self._opened = Database(database_url)
        self._created = False

    @property
    def _database(self) -> Database:
        """The database with its tables: made at first use, so that a database that is down keeps no worker from starting."""
        if not self._created:
            self._opened.create(metadata)
            self._created = True
        return self._opened

    def prepare(self) -> None:
        """Reach the database now, instead of at the first use."""
        with self._database.reading():
            pass

    def start(self, position: Position) -> int | None:
        """The stored next offset; None where this group has stored none.

        Raises:
            OffsetFormatError: when another version of Headrace wrote it.
        """
        with self._database.reading() as connection:
            row = connection.execute(_START, self._names(position)).one_or_none()
        if row is not None and row.format != FORMAT:
            raise OffsetFormatError(
                f"the stored offset of {position.topic} [{position.partition}] for group {self._group} has format "
                f"{row.format}, and this version of Headrace knows format {FORMAT}; upgrade Headrace"
            )
        return None if row is None else int(row.next_offset)

    def former(self, position: Position) -> Committed | None:
        """How far this group has covered the log that this one has replaced: the last of the same name with another id."""
        with self._database.reading() as connection:
            row = connection.execute(_FORMER, self._names(position)).first()
        return None if row is None else Committed(int(row.next_offset), row.topic_id)

    def begin(self, position: Position, next_offset: int, *, replacing: int | None = None) -> None:
        """Say where a partition starts: a row that is there already stays as it is, unless it is to be replaced.

        Args:
            position: the partition.
            next_offset: where it starts.
            replacing: the stored offset that no longer fits the log; replaced only if it still stands there.
        """
        row = {
            "group_name": self._group,
            "topic_id": position.topic_id,
            "topic": position.topic,
            "partition": position.partition,
            "next_offset": next_offset,
            "format": FORMAT,
        }
        with self._database.transaction() as connection:
            connection.execute(_insert_new(connection, offsets), [row])
            if replacing is not None:
                self._move(connection, position, replacing, next_offset)

    @contextmanager
    def transaction(self, position: Position, *, expected: int, following: int) -> Iterator[sa.Connection]:
        """One transaction that covers the records from `expected` up to, and without, `following`.

        The offset is moved first: in PostgreSQL that locks its row, so that a second writer of the partition waits, and is
        refused before it has done any work.

        Raises:
            FencedError: when the stored offset isn't `expected`: another writer has this partition.
        """
        with self._database.transaction() as connection:
            source_id = self._move(connection, position, expected, following)
            if source_id is None:
                raise FencedError(
                    f"{position.topic} [{position.partition}] was moved on from {expected} by another worker of group "
                    f"{self._group}; nothing was written, the stored offset tells where to go on"
                )
            source = Source(source_id, self._group, position.topic_id, position.topic, position.partition)
            yield marked(connection, self._group, source)

    @contextmanager
    def plain(self) -> Iterator[sa.Connection]:
        """One transaction that covers no records: what time brings."""
        with self._database.transaction() as connection:
            yield marked(connection, self._group)

    def enqueue(self, connection: sa.Connection, messages: Sequence[OutboxMessage]) -> None:
        """Put results into the outbox, within an open transaction; one whose id is there already is left out."""
        if messages:
            rows = [self._row(message) for message in messages]
            connection.execute(_insert_new(connection, outbox), rows)

    def pending(self, limit: int) -> list[OutboxMessage]:
        """Up to so many results that are still to be published, the oldest first."""
        chosen = sa.select(outbox).where(outbox.c.group_name == self._group, outbox.c.published_at_s.is_(None))
        with self._database.reading() as connection:
            rows = connection.execute(chosen.order_by(outbox.c.number).limit(limit)).all()
        return [
            OutboxMessage(row.id, row.topic, row.key, row.value, msgspec.msgpack.decode(row.headers, type=_HEADERS))
            for row in rows
        ]

    def published(self, ids: Sequence[str]) -> None:
        """Results that the broker has acknowledged: their bodies go, their ids stay for a week."""
        now_s = int(time.time())
        mine = outbox.c.group_name == self._group
        done = sa.update(outbox).where(mine, outbox.c.id == sa.bindparam("sent"))
        with self._database.transaction() as connection:
            if ids:
                emptied = done.values(published_at_s=now_s, key=None, value=None, headers=None)
                connection.execute(emptied, [{"sent": sent} for sent in ids])
            connection.execute(sa.delete(outbox).where(mine, outbox.c.published_at_s < now_s - _KEPT_S))

    def close(self) -> None:
        """Close every connection."""
        self._opened.close()

    def _names(self, position: Position) -> dict[str, object]:
        return {
            "of_group": self._group,
            "of_topic_id": position.topic_id,
            "of_topic": position.topic,
            "of_partition": position.partition,
        }

    def _move(self, connection: sa.Connection, position: Position, expected: int, following: int) -> int | None:
        """Compare and set; the row's id, or None when the offset isn't the expected one."""
        stands = {**self._names(position), "expected": expected, "following": following}
        found: int | None = connection.execute(_MOVE, stands).scalar_one_or_none()
        return found

    def _row(self, message: OutboxMessage) -> dict[str, object]:
        headers = msgspec.msgpack.encode(message.headers)
        row = {"group_name": self._group, "id": message.id, "topic": message.topic}
        return {**row, "key": message.key, "value": message.value, "headers": headers}


class _UndoneError(Exception):
    """Raised when a trial is over."""


class Trial(State):
    """A state of whose transactions nothing is kept: to see whether a record can be handled at all."""

    @contextmanager
    def transaction(self, position: Position, *, expected: int, following: int) -> Iterator[sa.Connection]:
        """One that is always rolled back."""
        with (
            suppress(_UndoneError),
            super().transaction(position, expected=expected, following=following) as connection,
        ):
            yield connection
            raise _UndoneError


_HEADERS = tuple[tuple[str, bytes], ...]


def _insert_new(connection: sa.Connection, table: sa.Table) -> sa.Executable:
    """An insert that leaves rows alone whose key is taken."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
