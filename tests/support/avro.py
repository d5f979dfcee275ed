"""Random schemas, and random events of them."""

import json
import types
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.event import Event
from schemas.generate import generate
from schemas.schema_set import Schema, SchemaSet

START = [
    {"name": "event_id", "type": "string"},
    {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
]
PRIMITIVES = ("boolean", "int", "long", "float", "double", "bytes", "string")


def event_schema(*fields: dict[str, Any], name: str = "Thing", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "test", "fields": [*START, *fields], **more}


def schema_set(*raws: dict[str, Any]) -> SchemaSet:
    schemas = [Schema.of(raw) for raw in raws]
    return SchemaSet({schema.name: schema for schema in schemas})


def module_of(schemas: SchemaSet) -> types.ModuleType:
    """The generated module, run."""
    module = types.ModuleType("generated")
    exec(generate(schemas, folder="test", command="test"), module.__dict__)  # the generator's own output
    return module


def codec_and_type(raw: dict[str, Any]) -> tuple[Codec, type[Event]]:
    schemas = schema_set(raw)
    return Codec(schemas), getattr(module_of(schemas), raw["name"])


def write_schema(folder: Path, stem: str, raw: dict[str, Any]) -> Path:
    path = folder / f"{stem}.avsc"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    """An event's schema: every type that can be a column, nested up to three deep."""
    numbers = iter(range(1_000))

    def field_type(depth: int) -> Any:
        kinds = ["primitive", "enum", "fixed", "nullable"] + (["array", "map", "record"] if depth else [])
        kind = draw(st.sampled_from(kinds))
        if kind == "enum":
            symbols = [f"S{number}" for number in range(draw(st.integers(1, 4)))]
            return {"type": "enum", "name": f"E{next(numbers)}", "symbols": symbols}
        if kind == "fixed":
            return {"type": "fixed", "name": f"F{next(numbers)}", "size": draw(st.integers(1, 9))}
        if kind == "nullable":
            inner = field_type(0) if depth == 0 else field_type(depth - 1)
            return inner if isinstance(inner, list) else draw(st.sampled_from([["null", inner], [inner, "null"]]))
        if kind == "array":
            return {"type": "array", "items": field_type(depth - 1)}
        if kind == "map":
            return {"type": "map", "values": field_type(depth - 1)}
        if kind == "record":
            return {"type": "record", "name": f"R{next(numbers)}", "fields": fields(depth - 1, least=1)}
        return draw(st.sampled_from(PRIMITIVES))

    def fields(depth: int, *, least: int) -> list[dict[str, Any]]:
        return [{"name": f"f{next(numbers)}", "type": field_type(depth)} for _ in range(draw(st.integers(least, 4)))]

    return event_schema(*fields(2, least=0))


_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=12),
    "string": st.text(max_size=12),
}


def values(schema: Any, known: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    """Values of a schema; `known` are the named types before it, by their bare names."""
    known = {} if known is None else known
    if isinstance(schema, str):
        bare = schema.rpartition(".")[2]
        return values(known[bare], known) if bare in known else _SCALARS[schema]
    if isinstance(schema, list):
        return st.one_of(*[values(branch, known) for branch in schema])
    kind = schema["type"]
    if "name" in schema:
        known[schema["name"]] = schema
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "fixed":
        return st.binary(min_size=schema["size"], max_size=schema["size"])
    if kind == "array":
        return st.lists(values(schema["items"], known), max_size=3)
    if kind == "map":
        return st.dictionaries(st.text(max_size=4), values(schema["values"], known), max_size=3)
    if kind == "record":
        return st.fixed_dictionaries({field["name"]: values(field["type"], known) for field in schema["fields"]})
    return values(kind, known)


@st.composite
def one_corrupt(draw: st.DrawFn) -> tuple[Codec, type[Event], list[bytes], int]:
    """A codec and class of a random schema, encoded events of it, and the index of the one that was broken."""
    raw = draw(schemas())
    codec, kind = codec_and_type(raw)
    plain = draw(st.lists(values(raw), min_size=2, max_size=5))
    encoded = [codec.encode(msgspec.convert(each, kind), topic="t") for each in plain]
    broken = draw(st.integers(0, len(encoded) - 1))
    body = bytearray(encoded[broken])
    body[draw(st.integers(10, len(body) - 1))] = draw(st.integers(0, 255))
    encoded[broken] = bytes(body) + draw(st.binary(max_size=3))
    return codec, kind, encoded, broken


def event(raw: Any, kind: type[Event]) -> msgspec.Struct:
    """An event from plain values."""
    return msgspec.convert(raw, kind)
