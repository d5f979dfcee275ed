"""An Avro record's form in JSON: timestamps as ISO-8601 text, everything else as msgspec has it (bytes in base64)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas import lint
from schemas.errors import InvalidEventError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"timestamp-micros": timedelta(microseconds=1), "timestamp-millis": timedelta(milliseconds=1)}

Convert = Callable[[Any, str], Any]
"""Takes a value and its path within the record."""


def from_json(schema: Mapping[str, Any]) -> Convert:
    """A function from a record's JSON to plain values: ISO-8601 text in timestamp fields becomes a number.

    A name that the schema hasn't is an InvalidEventError: it is a field misspelt, and would be lost in silence.
    """
    return _Walk(_to_number, strict=True).of(schema, "")


def to_json(schema: Mapping[str, Any]) -> Convert:
    """A function from plain values to a record's JSON: timestamps become ISO-8601 text, in UTC."""
    return _Walk(_to_text, strict=False).of(schema, "")


def parse_timestamp(text: str) -> datetime:
    """A time in ISO-8601, in UTC where it names no zone.

    Raises:
        ValueError: if it is none.
    """
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def format_timestamp(moment: datetime, *, timespec: str = "auto") -> str:
    """ISO-8601 in UTC; as short as it is exact, unless `timespec` says how exact."""
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def _to_number(value: Any, path: str, unit: timedelta) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return (parse_timestamp(value) - EPOCH) // unit
    except (ValueError, OverflowError) as error:
        reason = f"{value!r} is no time such as 2026-11-22T10:00:00Z"
        raise InvalidEventError(f"{path}: {reason}", field=path) from error


def _to_text(value: Any, _path: str, unit: timedelta) -> Any:
    try:
        return format_timestamp(EPOCH + value * unit)
    except OverflowError:  # beyond the year 9999: the number says what there is
        return value


class _Walk:
    """Makes one function of a schema; None stands for "nothing to do", so that most values are not even looked at."""

    def __init__(self, leaf: Callable[[Any, str, timedelta], Any], *, strict: bool) -> None:
        self._leaf = leaf
        self._strict = strict
        self._named: dict[str, Convert | None] = {}

    def of(self, schema: Any, namespace: str) -> Convert:
        return self._node(schema, namespace) or (lambda value, _path: value)

    def _node(self, schema: Any, namespace: str) -> Convert | None:
        if isinstance(schema, str):
            return self._named.get(lint.full_name(schema, namespace))
        if isinstance(schema, list):
            return self._union(schema, namespace)
        if unit := _UNITS.get(schema.get("logicalType", "")):
            return lambda value, path: self._leaf(value, path, unit)
        kind = schema["type"]
        if kind in lint.RECORDS:
            name, inner = lint.names_of(schema, namespace)
            self._named[name] = self._record(schema, inner)
            return self._named[name]
        if kind in {"array", "map"}:
            items = self._node(schema["items" if kind == "array" else "values"], namespace)
            return None if items is None else (_each if kind == "array" else _each_value)(items)
        return None if kind in {"enum", "fixed"} else self._node(kind, namespace)

    def _union(self, branches: list[Any], namespace: str) -> Convert | None:
        found = [(branch, self._node(branch, namespace)) for branch in branches if branch != "null"]
        if len(found) != 1 or found[0][1] is None:  # of several branches, none can be told before msgspec looks
            return None
        convert = found[0][1]
        return lambda value, path: None if value is None else convert(value, path)

    def _record(self, schema: Mapping[str, Any], namespace: str) -> Convert | None:
        names = {field["name"] for field in schema["fields"]}
        parts = {field["name"]: self._node(field["type"], namespace) for field in schema["fields"]}
        busy = {name: convert for name, convert in parts.items() if convert is not None}
        strict = self._strict
        if not busy and not strict:
            return None

        def record(value: Any, path: str) -> Any:
            if not isinstance(value, dict):
                return value  # msgspec says what it should be
            if strict and (unknown := value.keys() - names):
                field = _join(path, min(unknown))
                raise InvalidEventError(f"{field}: the schema has no such field", field=field)
            return value | {n: convert(value[n], _join(path, n)) for n, convert in busy.items() if n in value}

        return record


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _each(convert: Convert) -> Convert:
    def items(value: Any, path: str) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return [convert(item, f"{path}[{index}]") for index, item in enumerate(value)]

    return items


def _each_value(convert: Convert) -> Convert:
    def values(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: convert(item, f"{path}[{key}]") for key, item in value.items()}

    return values
