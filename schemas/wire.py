"""A writer's schema as columns: the same bytes, described in types that polars reads, and how to finish what it read.

`polars.read_avro` takes an int beyond 32 bits, a boolean of 7 or an enum index of 2**33 and makes something of them. So
each is read as a long, which the same bytes are, and checked afterwards. It panics or refuses elsewhere: maps are read as
arrays of key and value, references are inlined under fresh names, null fields are left out and put back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from schemas import lint
from schemas.errors import NotColumnarError

MAX_NODES = 2_000
"""References are inlined; a schema that names a type of types often enough would grow without end."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A primitive type; `null` only as a field of its own."""

    kind: str


@dataclass(frozen=True, slots=True)
class Enum:
    """Symbols by index."""

    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    """Bytes of one length."""

    size_bytes: int


@dataclass(frozen=True, slots=True)
class Nullable:
    """A union of null and one type."""

    inner: "Node"
    null_first: bool


@dataclass(frozen=True, slots=True)
class Array:
    """Items of one type."""

    item: "Node"


@dataclass(frozen=True, slots=True)
class Map:
    """Values of one type by text keys; as a column, a list of key and value."""

    value: "Node"


@dataclass(frozen=True, slots=True)
class Record:
    """Fields in their order."""

    fields: tuple[tuple[str, "Node"], ...]


Node = Scalar | Enum | Fixed | Nullable | Array | Map | Record


def tree(schema: Any) -> Record:
    """A record schema with every reference resolved.

    Args:
        schema: as JSON gives it; it has passed the lint, so it is not recursive.

    Raises:
        NotColumnarError: if it is no record, holds a union of several types, or grows beyond MAX_NODES.
    """
    node = _Resolver().node(schema, "")
    if not isinstance(node, Record) or not node.fields:
        raise NotColumnarError("only a record with fields can be columns")
    return node


class _Resolver:
    def __init__(self) -> None:
        self._named: dict[str, tuple[Mapping[str, Any], str]] = {}
        self._nodes = count(1)

    def node(self, schema: Any, namespace: str) -> Node:
        if next(self._nodes) > MAX_NODES:
            raise NotColumnarError(f"the schema has more than {MAX_NODES} types")
        if isinstance(schema, str):
            return Scalar(schema) if schema in lint.PRIMITIVES else self._reference(schema, namespace)
        if isinstance(schema, list):
            return self._union(schema, namespace)
        kind = schema["type"]
        if kind == "array":
            return Array(self.node(schema["items"], namespace))
        if kind == "map":
            return Map(self.node(schema["values"], namespace))
        if kind in lint.RECORDS or kind in {"enum", "fixed"}:
            name, inner = lint.names_of(schema, namespace)
            self._named[name] = schema, inner
            return self._define(schema, inner)
        return self.node(kind, namespace)

    def _reference(self, name: str, namespace: str) -> Node:
        schema, inner = self._named[lint.full_name(name, namespace)]
        return self._define(schema, inner)

    def _define(self, schema: Mapping[str, Any], namespace: str) -> Node:
        if schema["type"] == "enum":
            return Enum(tuple(schema["symbols"]))
        if schema["type"] == "fixed":
            return Fixed(int(schema["size"]))
        return Record(tuple((field["name"], self.node(field["type"], namespace)) for field in schema["fields"]))

    def _union(self, branches: list[Any], namespace: str) -> Node:
        real = [branch for branch in branches if branch != "null"]
        if len(branches) != 2 or len(real) != 1:
            raise NotColumnarError(f"a union of {len(branches)} branches, {len(real)} of them not null, is no column")
        return Nullable(self.node(real[0], namespace), null_first=branches[0] == "null")


def polars_schema(record: Record) -> dict[str, Any]:
    """The Avro schema to read with: byte for byte the same on the wire, in types that polars reads."""
    schema: dict[str, Any] = _written(record, (f"N{number}" for number in count()))
    return schema


def _written(node: Node, names: Iterator[str]) -> Any:  # noqa: PLR0911  one return a type
    match node:
        case Scalar("int" | "boolean") | Enum():
            return "long"
        case Scalar(kind):
            return kind
        case Fixed(size_bytes):
            return {"type": "fixed", "name": next(names), "size": size_bytes}
        case Nullable(inner, null_first):
            return ["null", _written(inner, names)] if null_first else [_written(inner, names), "null"]
        case Array(item):
            return {"type": "array", "items": _written(item, names)}
        case Map(value):
            return {"type": "array", "items": _written(Record((("key", Scalar("string")), ("value", value))), names)}
        case Record(fields):
            name = next(names)
            parts = [{"name": part, "type": _written(inner, names)} for part, inner in fields if not is_null(inner)]
            return {"type": "record", "name": name, "fields": parts}


def is_null(node: Node) -> bool:
    """Whether it takes no bytes at all."""
    return node == Scalar("null")


def is_final(node: Node) -> bool:
    """Whether what polars reads is already what the column is to hold."""
    match node:
        case Scalar(kind):
            return kind not in {"int", "boolean", "null"}
        case Enum():
            return False
        case Nullable(inner) | Array(inner) | Map(inner):
            return is_final(inner)
        case Record(fields):
            return all(is_final(inner) for _, inner in fields)
        case _:
            return True
