"""How every listing prints: a table for people, JSON for programs; data on stdout only."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import click
import msgspec

Format = Literal["table", "json", "jsonl"]
_BEYOND_ASCII_CONTROL = re.compile(rb"\x7f|\xc2[\x80-\x9f]")
"""DEL and the C1 controls in UTF-8: JSON may hold them as they are, and a terminal may obey them. Only texts have them."""

option = click.option(
    "-o", "--output", "output", type=click.Choice(["table", "json", "jsonl"]), default="table", show_default=True,
    help="How to print: a table, one JSON document, or one JSON object a line.",
)  # fmt: skip


def rows(
    records: Iterable[Mapping[str, Any]], output: Format, *, columns: Sequence[str], unbroken: Sequence[str] = ()
) -> None:
    """Print records in the chosen form; a table shows `columns`, JSON everything. No control character is printed.

    Of a table that is too wide for its terminal, `unbroken` columns, such as ids, stay on one line as long as others can give.
    """
    if output == "jsonl":
        for record in records:
            sys.stdout.buffer.write(json_line(record))
            sys.stdout.buffer.flush()
    elif output == "json":
        sys.stdout.buffer.write(_harmless(msgspec.json.format(msgspec.json.encode(list(records)))) + b"\n")
        sys.stdout.buffer.flush()
    else:
        _table(list(records), columns, unbroken)


def json_line(record: Mapping[str, Any]) -> bytes:
    """A record as one line of JSON, its end included."""
    return _harmless(msgspec.json.encode(record)) + b"\n"


def escaped(text: str) -> str:
    """The text on one line, as it may be shown on a terminal: what is not printable is written as Python writes it."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _harmless(json: bytes) -> bytes:
    return _BEYOND_ASCII_CONTROL.sub(lambda found: b"\\u00%02x" % found[0][-1], json)


def _table(records: list[Mapping[str, Any]], columns: Sequence[str], unbroken: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        numeric = bool(records) and all(isinstance(record.get(column), int | float | None) for record in records)
        # Folded, not cut: an id without its end is none.
        justify: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(column.replace("_", " "), justify=justify, overflow="fold", no_wrap=column in unbroken)
    for record in records:
        table.add_row(*(Text(_cell(record.get(column))) for column in columns))  # Text: no [markup] in data
    # Off a terminal there is no width: a column that is cut off there is lost to whoever reads the file.
    Console(width=None if sys.stdout.isatty() else 10_000).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else escaped(str(value))
