"""The Python class of a schema: the generated one where it is imported, else one made of the schema."""

import operator
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any, Literal

import msgspec

from schemas import lint
from schemas.conversion import convert
from schemas.errors import ConfigurationError
from schemas.event import Event, new_event_id, now_us
from schemas.ranges import Int32, Int64
from schemas.schema_set import Schema

_TYPES: dict[str, Any] = {
    "null": None, "boolean": bool, "int": Int32, "long": Int64, "float": float, "double": float,
    "bytes": bytes, "string": str,
}  # fmt: skip
_FACTORIES: dict[str, Any] = {"event_id": new_event_id, "occurred_at": now_us}
_made: dict[bytes, type[Event]] = {}


def record_type(schema: Schema) -> type[Event]:
    """The event class of a schema.

    Raises:
        ConfigurationError: if Python cannot express it: a union of several records, or of other types that look alike.
    """
    generated = {kind.__schema_name__: kind for kind in _subclasses(Event)}.get(schema.name)
    if generated is not None:
        return generated
    if schema.fingerprint not in _made:
        made = _Maker().record(schema.raw, "", event=True)
        try:
            convert({}, made)
        except msgspec.ValidationError:
            pass  # its fields are missing; a type that msgspec cannot tell apart is a TypeError
        except TypeError as error:
            raise ConfigurationError([f"{schema.name}: {error}"]) from error
        _made[schema.fingerprint] = made
    return _made[schema.fingerprint]


def _subclasses(kind: type[Event]) -> Iterator[type[Event]]:
    for subclass in kind.__subclasses__():
        if subclass.__module__ != __name__:
            yield subclass
        yield from _subclasses(subclass)


class _Maker:
    """Makes Structs; named types once."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}

    def record(self, schema: Mapping[str, Any], namespace: str, *, event: bool = False) -> Any:
        name, inner = lint.names_of(schema, namespace)
        fields = [self._field(field, inner, stamped=event) for field in schema["fields"]]
        self._named[name] = msgspec.defstruct(
            name.rpartition(".")[2],
            fields,
            bases=(Event if event else msgspec.Struct,),
            frozen=True,
            gc=False,
            kw_only=True,
            module=__name__,
            namespace={"__schema_name__": name},
        )
        return self._named[name]

    def _field(self, field: Mapping[str, Any], namespace: str, *, stamped: bool) -> tuple[Any, ...]:
        name, kind = field["name"], self._type(field["type"], namespace)
        if stamped and name in _FACTORIES:
            return name, kind, msgspec.field(default_factory=_FACTORIES[name])
        if "default" not in field:
            return name, kind
        first = field["type"][0] if isinstance(field["type"], list) else field["type"]
        default = _default(field["default"], first)
        try:
            value = convert(default, kind)
        except msgspec.ValidationError as error:
            raise ConfigurationError([f"the default of {name}: {error}"]) from error
        return name, kind, msgspec.field(default_factory=lambda: value)

    def _type(self, schema: Any, namespace: str) -> Any:
        if isinstance(schema, str):
            return _TYPES[schema] if schema in _TYPES else self._named[lint.full_name(schema, namespace)]
        if isinstance(schema, list):
            return reduce(operator.or_, (self._type(branch, namespace) or type(None) for branch in schema))
        kind = schema["type"]
        if kind in lint.RECORDS:
            return self.record(schema, namespace)
        if kind in {"enum", "fixed"}:
            made: Any = Literal[tuple(schema["symbols"])] if kind == "enum" else bytes
            self._named[lint.names_of(schema, namespace)[0]] = made
            return made
        inner: Any = self._type(schema.get("items") or schema.get("values") or kind, namespace)
        generic: Any = {"array": tuple[inner, ...], "map": dict[str, inner]}.get(kind, inner)
        return generic


def _default(value: Any, schema: Any) -> Any:
    kind = schema["type"] if isinstance(schema, dict) else schema
    return value.encode("latin-1") if kind in {"bytes", "fixed"} else value
