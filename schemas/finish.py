"""From what polars read to what a column is to hold; a value out of its range is an error, never wrapped."""

from typing import Any

import polars as pl

from schemas import wire

_DTYPES: dict[str, Any] = {
    "null": pl.Null, "boolean": pl.Boolean, "int": pl.Int32, "long": pl.Int64, "float": pl.Float32,
    "double": pl.Float64, "bytes": pl.Binary, "string": pl.String,
}  # fmt: skip
_BOOLEANS = {0: False, -1: True}
"""A boolean's byte, 0 or 1, is the long 0 or -1 (zigzag)."""


def dtype_of(node: wire.Node) -> Any:  # noqa: PLR0911  one return a type
    """The column's type."""
    match node:
        case wire.Scalar(kind):
            return _DTYPES[kind]
        case wire.Enum():
            return pl.String
        case wire.Fixed():
            return pl.Binary
        case wire.Nullable(inner):
            return dtype_of(inner)
        case wire.Array(item):
            return pl.List(dtype_of(item))
        case wire.Map(value):
            return pl.List(pl.Struct({"key": pl.String, "value": dtype_of(value)}))
        case wire.Record(fields):
            return pl.Struct({name: dtype_of(inner) for name, inner in fields})


def finish(frame: pl.DataFrame, record: wire.Record) -> pl.DataFrame:
    """The frame with its final columns.

    Raises:
        polars.exceptions.PolarsError: if a value is out of its type's range.
        ValueError: likewise.
    """
    columns = {column.name: column for column in frame.get_columns()}
    return pl.DataFrame([_column(columns.get(name), name, node, frame.height) for name, node in record.fields])


def _column(read: pl.Series | None, name: str, node: wire.Node, height: int) -> pl.Series:
    if read is None:
        return pl.Series(name, [None] * height, dtype=pl.Null)
    if wire.is_final(node):
        return read
    simple = node.inner if isinstance(node, wire.Nullable) else node
    if isinstance(simple, wire.Scalar | wire.Enum):
        return _simple(read, simple)
    return read.to_frame().select(_expression(pl.col(name), node).alias(name)).to_series()


def _simple(read: pl.Series, node: wire.Scalar | wire.Enum) -> pl.Series:
    """Column by column, without the lazy engine, whose start costs 235 us a batch."""
    if node == wire.Scalar("int"):
        return read.cast(pl.Int32)
    if isinstance(node, wire.Enum):
        _within(read, 0, len(node.symbols) - 1)
        return pl.Series(read.name, node.symbols, dtype=pl.String)[read.cast(pl.UInt32)]
    _within(read, min(_BOOLEANS), max(_BOOLEANS))
    return read.cast(pl.Boolean)


def _within(read: pl.Series, least: int, most: int) -> None:
    low, high = read.min(), read.max()
    if isinstance(low, int) and isinstance(high, int) and (low < least or high > most):
        raise ValueError(f"{read.name}: {low} to {high} is not within {least} to {most}")


def _expression(read: pl.Expr, node: wire.Node) -> pl.Expr:  # noqa: PLR0911  one return a type
    """The same for what lies inside lists and structs."""
    if wire.is_final(node):
        return read
    match node:
        case wire.Scalar("int"):
            return read.cast(pl.Int32)
        case wire.Scalar("boolean"):
            return read.replace_strict(_BOOLEANS, return_dtype=pl.Boolean)
        case wire.Enum(symbols):
            return read.replace_strict(dict(enumerate(symbols)), return_dtype=pl.String)
        case wire.Nullable(inner):
            return _expression(read, inner)
        case wire.Array(item):
            return read.list.eval(_expression(pl.element(), item))
        case wire.Map(value):
            return _expression(read, wire.Array(wire.Record((("key", wire.Scalar("string")), ("value", value)))))
        case wire.Record(fields):
            parts = [_part(read, name, inner) for name, inner in fields]
            return pl.when(read.is_not_null()).then(pl.struct(parts))
        case _:
            return read


def _part(read: pl.Expr, name: str, node: wire.Node) -> pl.Expr:
    if wire.is_null(node):
        return pl.lit(None).alias(name)
    return _expression(read.struct.field(name), node).alias(name)
