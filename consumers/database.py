"""The database behind exact agents: SQLite in a file by default, PostgreSQL by URL."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import event, exc

from consumers.errors import Unavailable
from schemas.errors import ConfigurationError
from schemas.settings import redact_url

DEPENDENCY = "database"
LOCK_WAIT_S = 10
"""How long a transaction waits for another: theirs take milliseconds, so past this one of them is stuck."""
_CONNECT_TIMEOUT_S = 5
_ABANDONED_TRANSACTION_S = 60
"""PostgreSQL ends a transaction whose client is silent for so long: a frozen worker must not hold its partition's row."""
_CHECKPOINT_PAGES = 4_000
"""16 MB of write-ahead log between checkpoints, which alone wait for the disk: open windows are rewritten with every batch, and a
checkpoint writes each page once, however often it changed."""
_ADVISORY_LOCK = 0x68656164
"""One creator of tables at a time: in PostgreSQL two CREATE TABLE IF NOT EXISTS at once can both fail."""
_SOURCE = "headrace_source"
_GROUP = "headrace_group"
_READ_ONLY = "headrace_read_only"
_POSTGRES_OPTIONS = f"-c lock_timeout={LOCK_WAIT_S}s -c idle_in_transaction_session_timeout={_ABANDONED_TRANSACTION_S}s"

metadata = sa.MetaData()
"""The runtime's own tables; handlers keep theirs apart."""
BigKey = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # only INTEGER counts up by itself in SQLite

offsets = sa.Table(
    "headrace_offsets",
    metadata,
    sa.Column("source_id", BigKey, primary_key=True),
    sa.Column("group_name", sa.Text, nullable=False),
    sa.Column("topic_id", sa.Text, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("next_offset", sa.BigInteger, nullable=False),
    sa.Column("format", sa.Integer, nullable=False),
    sa.UniqueConstraint("group_name", "topic_id", "topic", "partition"),
    sqlite_autoincrement=True,
)
"""How far each group has covered each log. Its id is the key of the rows that a handler writes for that partition."""

_writers: dict[str, threading.Lock] = {}
_writers_guard = threading.Lock()


class Source(NamedTuple):
    """Whose rows a transaction writes: one partition of one log, as one group reads it.

    Attributes:
        id: of its offset row; the key under which a handler keeps its own rows.
        group: the consumer group.
        topic_id: Kafka's id of the topic; a topic that was created again is another log.
        topic: its name on the broker.
        partition: from 0.
    """

    id: int
    group: str
    topic_id: str
    topic: str
    partition: int


def source_of(connection: sa.Connection) -> Source:
    """The partition whose records this transaction covers."""
    source: Source | None = connection.get_execution_options().get(_SOURCE)
    if source is None:
        raise RuntimeError("this connection covers no partition: take it from State.transaction")
    return source


def group_of(connection: sa.Connection) -> str:
    """The consumer group that this transaction works for."""
    group: str | None = connection.get_execution_options().get(_GROUP)
    if group is None:
        raise RuntimeError("this connection belongs to no group: take it from State.transaction or State.plain")
    return group


def marked(connection: sa.Connection, group: str, source: Source | None = None) -> sa.Connection:
    """The connection, knowing for whom it works."""
    options: dict[str, Any] = {_GROUP: group, _SOURCE: source}
    return connection.execution_options(**options)


class Database:
    """One database and its connections; safe to share between threads, not between processes.

    Args:
        url: a SQLAlchemy URL: `sqlite:///path/file.db` or `postgresql://user:password@host/name`.
    """

    def __init__(self, url: str) -> None:
        self._url = _with_driver(url)
        self.sqlite = self._url.get_backend_name() == "sqlite"
        self._file = _file_of(self._url) if self.sqlite else None
        self._writer = _writer_of(str(self._url)) if self.sqlite else None
        self._engine = _sqlite_engine(self._url) if self.sqlite else _postgres_engine(self._url)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction that may write: committed on a clean exit, rolled back by an exception.

        Raises:
            Unavailable: when the database is down, locked, full, or cannot be read.
        """
        with available(str(self._url)), self._turn(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One consistent view of the database, beside its writers.

        Raises:
            Unavailable: when the database is down or cannot be read.
        """
        with available(str(self._url)), self._engine.connect() as connection:
            reader = connection.execution_options(**{_READ_ONLY: True})
            if not self.sqlite:
                reader = reader.execution_options(isolation_level="REPEATABLE READ")
            with reader.begin():
                yield reader

    def create(self, metadata: sa.MetaData) -> None:
        """Create the tables that are missing, and an SQLite file's folder; any number of processes may do so at once."""
        if self._file is not None:
            _make_folder(self._url, self._file.parent)
        with self.transaction() as connection:
            create_tables(connection, metadata)

    def holds(self, metadata: sa.MetaData) -> bool:
        """Whether all these tables are there; creates nothing, not even SQLite's file."""
        if self._file is not None and not self._file.exists():
            return False
        with self.reading() as connection:
            return set(metadata.tables) <= set(sa.inspect(connection).get_table_names())

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """This process's turn to write to SQLite: its own threads queue here, instead of polling the file's lock."""
        if self._writer is None:
            yield
            return
        if not self._writer.acquire(timeout=LOCK_WAIT_S):
            raise Unavailable(DEPENDENCY, f"another thread of this process has held it for {LOCK_WAIT_S} s")
        try:
            yield
        finally:
            self._writer.release()


def create_tables(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Create the tables that are missing, within this transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
    for table in metadata.sorted_tables:
        connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))


@contextmanager
def available(url: str) -> Iterator[None]:
    """Turn what only a person or time can heal into Unavailable; a mistake in a statement or in a value stays as it is."""
    try:
        yield
    except exc.DBAPIError as error:
        healed = isinstance(error, exc.IntegrityError | exc.DataError | exc.ProgrammingError | exc.NotSupportedError)
        if healed and not error.connection_invalidated:
            raise
        raise Unavailable(DEPENDENCY, _reason(url, error.orig or error)) from error
    except exc.TimeoutError as error:  # of the pool
        raise Unavailable(DEPENDENCY, _reason(url, error)) from error


def _reason(url: str, error: BaseException) -> str:
    first = next(iter(str(error).splitlines()), "") or type(error).__name__
    return f"{redact_url(url)}: {first}; the work goes on by itself once it answers"


def _with_driver(url: str) -> sa.URL:
    """The URL, with psycopg 3 where it names PostgreSQL without a driver.

    Raises:
        ConfigurationError: when it is no database's URL.
    """
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError as error:
        shown = redact_url(url)
        raise ConfigurationError(
            [f"HEADRACE_DATABASE_URL={shown}: a URL such as sqlite:///data/headrace.db is needed"]
        ) from error
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername in {"postgresql", "postgres"} else parsed


def _writer_of(url: str) -> threading.Lock:
    with _writers_guard:
        return _writers.setdefault(url, threading.Lock())


def _postgres_engine(url: sa.URL) -> sa.Engine:
    arguments = {"connect_timeout": _CONNECT_TIMEOUT_S, "options": _POSTGRES_OPTIONS}
    return sa.create_engine(url, pool_size=8, pool_timeout=LOCK_WAIT_S, connect_args=arguments)


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, pool_timeout=LOCK_WAIT_S, connect_args={"timeout": LOCK_WAIT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _file_of(url: sa.URL) -> Path | None:
    return Path(url.database) if url.database and url.database != ":memory:" else None


def _make_folder(url: sa.URL, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(DEPENDENCY, _reason(str(url), error)) from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Transactions are begun by us: the driver would begin them late, at the first write, when it may be too late to wait."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_S * 1000}")
    _to_write_ahead_log(connection)
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute("PRAGMA synchronous = NORMAL")  # the log and the rows go back together, so it stays exact


def _to_write_ahead_log(connection: Any) -> None:
    """Only the first process switches the file, but SQLite doesn't wait for its lock here: so we do."""
    until_s = time.monotonic() + LOCK_WAIT_S
    while connection.execute("PRAGMA journal_mode").fetchone()[0] not in {"wal", "memory"}:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except connection.OperationalError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: sa.Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
