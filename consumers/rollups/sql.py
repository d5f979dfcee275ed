"""What rows need of SQL: their tables, and writing over what is there."""

import weakref
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from consumers.database import create_tables

_complete: "weakref.WeakKeyDictionary[sa.Engine, set[sa.MetaData]]" = weakref.WeakKeyDictionary()


def ensure(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Create the tables that are missing, in the open transaction.

    They are taken for granted only once a later transaction has found them: this one may yet be rolled back.
    """
    complete = _complete.setdefault(connection.engine, set())
    if metadata in complete:
        return
    found = sa.inspect(connection).get_table_names()
    if set(metadata.tables) <= set(found):
        complete.add(metadata)
    else:
        create_tables(connection, metadata)


def upsert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]], *, add: bool = False) -> None:
    """Write rows over those of the same key; with `add`, add their count to the one that is there.

    The values go to the driver as they are (numbers, text and bytes need no conversion): half the cost of a long list of rows.
    """
    if not rows:
        return
    text, order = _upsert(table, connection.dialect, add=add)
    connection.exec_driver_sql(text, [tuple(row[name] for name in order) for row in rows] if order else rows)


@cache
def _upsert(table: sa.Table, dialect: sa.Dialect, *, add: bool) -> tuple[str, list[str]]:
    """The statement, and the order of its values where the driver takes them by place."""
    insert: Any = postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)
    columns = [column for column in table.columns if not column.primary_key]
    new = {
        column.name: column + insert.excluded[column.name] if add else insert.excluded[column.name]
        for column in columns
    }
    compiled = insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=new).compile(dialect=dialect)
    return str(compiled), compiled.positiontup or []
