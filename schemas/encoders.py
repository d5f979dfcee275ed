"""Source of an encoder a record: straight-line Python that joins ready bytes, in place of a walk over the schema."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

from schemas import lint
from schemas.schema_set import Schema

_PYTHON = {"boolean": "bool", "int": "int", "long": "int", "bytes": "bytes", "string": "str"}
_RECORDS_AND_ENUMS = lint.RECORDS | {"enum"}
_HELPERS = re.compile(r"\b(?:[A-Z]+|[a-z]+_bytes|encodes|high|integer|join|long|refuse)\b")


class _NoEncoderError(Exception):
    """Raised for a union of more than null and one type: fastavro knows which of them a value fits best."""


class _Named(NamedTuple):
    """A named type by its name in Python; `namespace` is of the types within."""

    bare: str
    schema: Mapping[str, Any]
    namespace: str


def source(schemas: Iterable[Schema]) -> str:
    """The encoders of the schemas' records, and the tables of their enums; empty where none has an encoder."""
    blocks: dict[str, str] = {}
    for schema in schemas:
        named = dict(_named(schema.raw, ""))
        try:
            blocks |= {
                each.bare: _block(each, named, schema) for each in named.values() if each.schema["type"] != "fixed"
            }
        except _NoEncoderError:
            continue
    return "\n\n\n".join(blocks.values())


def helpers(encoders: str) -> list[str]:
    """What a module imports of schemas.encoding for these encoders, in the formatter's order: constants first."""
    from schemas import encoding

    words = set(_HELPERS.findall(re.sub(r"record\.\w+|\".*?\"", "", encoders)))
    return sorted(word for word in words if hasattr(encoding, word))


def _named(schema: Any, namespace: str) -> Iterator[tuple[str, _Named]]:
    """Every named type in a schema, by full name; a type after those that it holds."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _named(branch, namespace)
    if not isinstance(schema, dict):
        return
    full, inner = lint.names_of(schema, namespace) if "name" in schema else ("", namespace)
    for part in (*schema.get("fields", ()), schema):
        for place in ("type", "items", "values") if part is schema else ("type",):
            if isinstance(part.get(place), dict | list):
                yield from _named(part[place], inner)
    if full:
        yield full, _Named(full.rpartition(".")[2], schema, inner)


def _block(each: _Named, named: Mapping[str, _Named], schema: Schema) -> str:
    if each.schema["type"] == "enum":
        lines = [f'    "{symbol}": INTS[{index}],' for index, symbol in enumerate(each.schema["symbols"])]
        return "\n".join([f"{_table(each.bare)} = {{", *lines, "}"])
    return "\n".join(_Function(named).source(each, schema.fingerprint.hex() if each.schema is schema.raw else None))


def _function(bare: str) -> str:
    return f"_{_snake(bare)}_bytes"


def _table(bare: str) -> str:
    return f"_{_snake(bare).upper()}"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class _Function:
    """Writes one function. Statements check values and make bytes of what is not one expression; the rest is joined in the end.

    Args:
        named: every named type of the schema, by full name.
    """

    def __init__(self, named: Mapping[str, _Named]) -> None:
        self._known = named
        self._numbers = count(1)
        self._lines: list[str] = []
        self._indent = 1

    def source(self, record: _Named, fingerprint: str | None) -> Iterator[str]:
        """The lines of a record's encoder; it is entered under the fingerprint of an event's schema (hexadecimal)."""
        parts = ["prefix"]
        for place, field in enumerate(record.schema["fields"]):
            value = self._new()
            self._say(f"{value} = record.{field['name']}")
            is_time = fingerprint is not None and place == 1  # an event's occurred_at (schemas.lint)
            parts += self._micros(value) if is_time else self._parts(field["type"], record.namespace, value)
        if fingerprint is not None:
            yield f'@encodes({record.bare}, "{fingerprint}")'
        default = "" if fingerprint is not None else ' = b""'
        yield f"def {_function(record.bare)}(record: {record.bare}, prefix: bytes{default}) -> bytes:"
        if len(parts) == 1:
            self._say("return prefix")
        else:
            self._join("return ", parts)
        yield from self._lines

    def _new(self) -> str:
        return f"v{next(self._numbers)}"

    def _say(self, *lines: str) -> None:
        self._lines += ["    " * self._indent + line for line in lines]

    def _join(self, before: str, parts: list[str]) -> None:
        """Join two parts or more; the formatter leaves a part a line as it is."""
        joined = self._new()
        self._say(f"{joined} = (", *(f"    {part}," for part in parts), ")", f"{before}join({joined})")

    def _micros(self, value: str) -> list[str]:
        """A long whose high bits change slowly."""
        return [
            f"LOW[{value} & 0x1FFF] if type({value}) is int else refuse()",
            f"MIDDLE[{value} >> 13 & 0x3FFF]",
            f"HIGH.get({value} >> 27) or high({value} >> 27)",
        ]

    def _parts(self, schema: Any, namespace: str, value: str) -> list[str]:
        """Check a value; the expressions of its bytes."""
        if isinstance(schema, list):
            return self._nullable(schema, namespace, value)
        kind = schema if isinstance(schema, str) else schema["type"]
        if isinstance(schema, str) and kind not in lint.PRIMITIVES:
            return self._of_name(self._known[lint.full_name(kind, namespace)], value)
        if kind in _RECORDS_AND_ENUMS or kind == "fixed":
            return self._of_name(self._known[lint.names_of(schema, namespace)[0]], value)
        if kind == "array":
            return self._array(schema["items"], namespace, value)
        if kind == "map":
            return self._map(schema["values"], namespace, value)
        return self._primitive(kind, value) if isinstance(schema, str) else self._parts(kind, namespace, value)

    def _of_name(self, found: _Named, value: str) -> list[str]:
        kind = found.schema["type"]
        if kind == "fixed":
            return [f"{value} if type({value}) is bytes and len({value}) == {found.schema['size']} else refuse()"]
        if kind == "enum":
            return [f"{_table(found.bare)}[{value}] if type({value}) is str else refuse()"]
        return [f"{_function(found.bare)}({value}) if type({value}) is {found.bare} else refuse()"]

    def _primitive(self, kind: str, value: str) -> list[str]:
        if kind == "null":
            self._say(f"if {value} is not None:", "    refuse()")
            return []
        if kind == "boolean":
            return [f"BOOLEANS[{value}] if type({value}) is bool else refuse()"]
        if kind in {"float", "double"}:
            return [f"{kind}_bytes({value}) if type({value}) is float or type({value}) is int else refuse()"]
        if kind in {"int", "long"}:
            slow = "integer" if kind == "int" else "long"
            return [f"INTS[{value}] if type({value}) is int and 0 <= {value} < SMALL else {slow}({value})"]
        return self._text(value, "str", ".encode()") if kind == "string" else self._text(value, "bytes", "")

    def _text(self, value: str, kind: str, encoded: str) -> list[str]:
        """Bytes behind their length."""
        found = self._new()
        self._say(f"{found} = {value}{encoded} if type({value}) is {kind} else refuse()")
        return [self._size(found), found]

    def _size(self, value: str) -> str:
        size = self._new()
        return f"INTS[{size}] if ({size} := len({value})) < SMALL else long({size})"

    def _nullable(self, branches: list[Any], namespace: str, value: str) -> list[str]:
        real = [branch for branch in branches if branch != "null"]
        if len(branches) != 2 or len(real) != 1:
            raise _NoEncoderError
        null, found = branches.index("null"), self._new()
        self._say(f"{found} = INTS[{null}]", f"if {value} is not None:")
        self._indent += 1
        self._join(f"{found} = ", [f"INTS[{1 - null}]", *self._parts(real[0], namespace, value)])
        self._indent -= 1
        return [found]

    def _array(self, items: Any, namespace: str, value: str) -> list[str]:
        item = self._new()
        return self._items(value, "SEQUENCES", item, value, lambda: self._parts(items, namespace, item))

    def _map(self, values: Any, namespace: str, value: str) -> list[str]:
        key, item = self._new(), self._new()

        def parts() -> list[str]:
            return [*self._text(key, "str", ".encode()"), *self._parts(values, namespace, item)]

        return self._items(value, "MAPPINGS", f"{key}, {item}", f"{value}.items()", parts)

    def _items(self, value: str, kinds: str, names: str, each: str, parts: Callable[[], list[str]]) -> list[str]:
        """One block with all items, and the empty one that ends them, as fastavro writes it."""
        found, joined = self._new(), self._new()
        self._say(f"{found} = INTS[0] if type({value}) in {kinds} else refuse()", f"if {value}:")
        self._indent += 1
        self._say(f"{joined} = [{self._size(value)}]", f"for {names} in {each}:")
        self._indent += 1
        expressions = parts()
        if len(expressions) == 1:
            self._say(f"{joined}.append({expressions[0]})")
        else:
            self._say(f"{joined} += (", *(f"    {part}," for part in expressions), ")")
        self._indent -= 1
        self._say(f"{joined}.append(INTS[0])", f"{found} = join({joined})")
        self._indent -= 1
        return [found]
