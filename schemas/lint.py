"""What a schema may not be: each rule keeps hostile bytes from ending the process that decodes them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
RECORDS = frozenset({"record", "error"})
_NAMED = RECORDS | {"enum", "fixed"}


class Size(NamedTuple):
    """What one value takes at least.

    Attributes:
        wire: bytes of Avro.
        memory: bytes in a column, where a null takes as much as a value.
    """

    wire: int
    memory: int


_PRIMITIVE_SIZES = {
    "null": Size(0, 0), "boolean": Size(1, 1), "int": Size(1, 4), "long": Size(1, 8), "float": Size(4, 4),
    "double": Size(8, 8), "bytes": Size(1, 16), "string": Size(1, 16),
}  # fmt: skip
_CONTAINER = Size(1, 16)

MAX_DEPTH = 32
"""Types within types; native decoders recurse, and end at some hundreds."""
MAX_GROWTH = 4_096
MAX_ITEM_GROWTH = 256
"""Bytes of memory that one byte of input may take, in a record and in an item of an array or map. Seen: 20 KB of nulls
of a nullable fixed of 64 KiB in an array took 2.2 GB."""

_START = (("event_id", "string", None), ("occurred_at", "long", "timestamp-micros"))


def full_name(name: str, namespace: str) -> str:
    """The full name of a type (Avro 1.12, "Names"): its own namespace goes before the enclosing one."""
    return name if "." in name or not namespace else f"{namespace}.{name}"


def names_of(schema: Mapping[str, Any], namespace: str) -> tuple[str, str]:
    """Full name of a named type, and the namespace of what it encloses."""
    name = full_name(schema["name"], schema.get("namespace") or namespace)
    return name, name.rpartition(".")[0]


def problems(schema: Any) -> list[str]:
    """Everything that makes a schema dangerous to decode with, one sentence each; empty when it is safe.

    Args:
        schema: as JSON gives it.
    """
    walk = _Walk()
    try:
        walk.bound(walk.visit(schema, "", ()), MAX_GROWTH)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        walk.found.append(f"it is not an Avro schema: {error!r}")
    return walk.found


def event_problems(schema: Any) -> list[str]:
    """Why a schema is no event of Headrace: a record that begins with event_id and occurred_at; empty when it is."""
    if not isinstance(schema, dict) or schema.get("type") != "record" or not isinstance(schema.get("fields"), list):
        return ["it is not a record"]
    return [
        f"its field number {place + 1} must be {name}, a {kind}{f' ({logical})' if logical else ''}"
        for place, (name, kind, logical) in enumerate(_START)
        if _field(schema["fields"][place : place + 1]) != (name, kind, logical)
    ]


def _field(fields: list[dict[str, Any]]) -> tuple[Any, Any, Any]:
    if not fields:
        return None, None, None
    kind = fields[0].get("type")
    logical = kind if isinstance(kind, dict) else {"type": kind}
    return fields[0].get("name"), logical.get("type"), logical.get("logicalType")


class _Walk:
    """One pass over a schema; every named type is looked into once, however often it is named."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._sizes: dict[str, Size] = {}
        self._open: set[str] = set()

    def visit(self, schema: Any, namespace: str, path: tuple[str, ...]) -> Size:
        """Check one type and give the least size of its values."""
        if len(path) > MAX_DEPTH:
            return self._say(path[:4], f"it nests deeper than {MAX_DEPTH} types")
        if isinstance(schema, str):
            return self._named(schema, namespace, path)
        if isinstance(schema, list):
            sizes = [self.visit(branch, namespace, path) for branch in schema]
            return Size(1 + min(size.wire for size in sizes), max(size.memory for size in sizes))
        kind = schema["type"]
        if isinstance(kind, str) and kind in _NAMED:
            return self._define(schema, namespace, path)
        if isinstance(kind, str) and kind in {"array", "map"}:
            return self._items(schema, namespace, path)
        return self.visit(kind, namespace, (*path, "type") if isinstance(kind, dict) else path)

    def _named(self, name: str, namespace: str, path: tuple[str, ...]) -> Size:
        if name in PRIMITIVES:
            return _PRIMITIVE_SIZES[name]
        known = full_name(name, namespace)
        if known in self._open:
            return self._say(path, f"{known} contains itself; a recursive schema lets a record nest without end")
        if known not in self._sizes:
            return self._say(path, f"the type {name!r} is not defined before it is used in this file")
        return self._sizes[known]

    def _define(self, schema: Mapping[str, Any], namespace: str, path: tuple[str, ...]) -> Size:
        name, inner = names_of(schema, namespace)
        if name in self._sizes or name in self._open:
            self._say(path, f"{name} is defined twice")
        self._open.add(name)
        self._sizes[name] = self._size(schema, inner, path)
        self._open.discard(name)
        return self._sizes[name]

    def _size(self, schema: Mapping[str, Any], namespace: str, path: tuple[str, ...]) -> Size:
        if schema["type"] == "enum":
            return Size(1, 16)
        if schema["type"] == "fixed":
            return Size(int(schema["size"]), int(schema["size"]))
        sizes = [self.visit(part["type"], namespace, (*path, part["name"])) for part in schema["fields"]]
        return Size(sum(size.wire for size in sizes), sum(size.memory for size in sizes))

    def _items(self, schema: Mapping[str, Any], namespace: str, path: tuple[str, ...]) -> Size:
        part = "items" if schema["type"] == "array" else "values"
        size = self.visit(schema[part], namespace, (*path, part))
        if size.wire == 0:
            self._say(path, f"{part} of zero bytes: four bytes of input could announce two thousand million of them")
        self.bound(size, MAX_ITEM_GROWTH, (*path, part))
        return _CONTAINER

    def bound(self, size: Size, limit: int, path: tuple[str, ...] = ()) -> None:
        """Refuse a type of which little input takes much memory."""
        if size.memory > limit * max(size.wire, 1):
            self._say(
                path,
                f"{size.wire} bytes of input can take {size.memory} bytes of memory: make what is nullable smaller",
            )

    def _say(self, path: tuple[str, ...], problem: str) -> Size:
        self.found.append(f"{'.'.join(path) or 'schema'}: {problem}")
        return _CONTAINER
