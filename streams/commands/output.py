"""How every listing prints: a table for people, JSON for programs; data on stdout only."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import click
import msgspec

Format = Literal["table", "json", "jsonl"]

option = click.option(
    "-o", "--output", "output", type=click.Choice(["table", "json", "jsonl"]), default="table", show_default=True,
    help="How to print: a table, one JSON document, or one JSON object a line.",
)  # fmt: skip


def rows(records: Iterable[Mapping[str, Any]], output: Format, *, columns: Sequence[str]) -> None:
    """Print records in the chosen form; a table shows `columns`, JSON everything."""
    if output == "jsonl":
        for record in records:
            sys.stdout.buffer.write(msgspec.json.encode(record) + b"\n")
            sys.stdout.buffer.flush()
    elif output == "json":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(list(records))) + b"\n")
        sys.stdout.buffer.flush()
    else:
        _table(list(records), columns)


def _table(records: list[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        numeric = bool(records) and all(isinstance(record.get(column), int | float | None) for record in records)
        table.add_column(column.replace("_", " "), justify="right" if numeric else "left")
    for record in records:
        table.add_row(*(Text(_cell(record.get(column))) for column in columns))  # Text: no [markup] in data
    # Off a terminal there is no width: a column that is cut off there is lost to whoever reads the file.
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
