"""`--where kind=purchase,duration_ms>100`: conditions on decoded fields, all of which must hold. Parsed, never evaluated.

    expression = condition { "," condition }
    condition  = field operator value
    field      = name { "." name }
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">="
    value      = text without a comma | '"' text '"'

A value is compared as what the field is: a number, true or false, null, a time in ISO-8601, or text.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from producers.json_form import parse_timestamp
from schemas.errors import HeadraceError

FORM = "field=value, or !=, <, <=, >, >=, joined by commas: kind=purchase,duration_ms>100"
_CONDITION = re.compile(
    r"""\s*(?P<path>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*(?P<sign>!=|<=|>=|=|<|>)\s*"""
    r"""(?:"(?P<quoted>[^"]*)"\s*|(?P<plain>(?![=<>])[^",]*))(?:(?P<comma>,)|$)"""
)
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBERS = frozenset({"int", "long", "float", "double"})


class WhereError(HeadraceError):
    """Raised when an expression is none, or names a field or a value that the topic's records cannot have."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `text` is the value as it was written, `quoted` whether it is text whatever it looks like."""

    path: tuple[str, ...]
    sign: str
    text: str
    quoted: bool = False

    def holds(self, fields: Mapping[str, Any]) -> bool:
        """Whether a record's fields, in their JSON form, are so; a field that is null or missing only equals null."""
        value: Any = fields
        for name in self.path:
            value = value.get(name) if isinstance(value, Mapping) else None
        wanted = self._as(value)
        comparable = wanted is not None and value is not None
        if self.sign in {"=", "!="}:
            same = self._is_null if value is None else comparable and bool(_comparable(value, wanted) == wanted)
            return same == (self.sign == "=")
        return comparable and not isinstance(value, bool) and _SIGNS[self.sign](_comparable(value, wanted), wanted)

    @property
    def _is_null(self) -> bool:
        return self.text == "null" and not self.quoted

    def _as(self, value: Any) -> Any:
        """The written value as what the field is; None where it cannot be that."""
        if isinstance(value, bool):
            return {"true": True, "false": False}.get(self.text)
        if isinstance(value, int | float):
            return _number(self.text)
        if isinstance(value, str):
            moment = None if self.quoted else _moment(self.text)
            return moment if moment is not None and _moment(value) is not None else self.text
        return None


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions, all of which must hold."""

    conditions: tuple[Condition, ...]

    def holds(self, fields: Mapping[str, Any]) -> bool:
        """Whether a record's fields, in their JSON form, meet every condition."""
        return all(condition.holds(fields) for condition in self.conditions)

    def check(self, schema: Mapping[str, Any]) -> None:
        """Refuse what no record of this Avro schema can meet by its types.

        Raises:
            WhereError: naming every unknown field, and every value that its field cannot have.
        """
        problems = [problem for condition in self.conditions for problem in _problems(condition, schema)]
        if problems:
            raise WhereError("\n".join(f"--where: {problem}" for problem in problems))


def parse(text: str) -> Where:
    """The conditions of an expression.

    Raises:
        WhereError: if it is none, pointing at where it ceases to be one.
    """
    conditions, at = [], 0
    while True:
        found = _CONDITION.match(text, at)
        if found is None:
            raise WhereError(f"--where: cannot read {text[at:]!r}; the form is {FORM}")
        quoted = found["quoted"] is not None
        written = found["quoted"] if quoted else found["plain"].strip()
        conditions.append(Condition(tuple(found["path"].split(".")), found["sign"], written, quoted))
        if found["comma"] is None:
            return Where(tuple(conditions))
        at = found.end()


def _problems(condition: Condition, schema: Mapping[str, Any]) -> Iterator[str]:
    name = ".".join(condition.path)
    kinds: list[Any] = [schema]
    for step in condition.path:
        records = [kind for kind in kinds if isinstance(kind, Mapping) and kind.get("type") == "record"]
        fields = {field["name"]: field["type"] for record in records for field in record["fields"]}
        if step not in fields:
            yield f"there is no field {name}; there are {', '.join(fields)}" if fields else f"{name} has no fields"
            return
        kinds = _kinds(fields[step])
    if condition.text == "null" and not condition.quoted:
        return
    plain = {kind if isinstance(kind, str) else str(kind.get("type")) for kind in kinds}
    times = any(isinstance(kind, Mapping) and "timestamp" in kind.get("logicalType", "") for kind in kinds)
    symbols = [symbol for kind in kinds if isinstance(kind, Mapping) for symbol in kind.get("symbols", ())]
    if plain & {"array", "map", "record", "bytes", "fixed"}:
        yield f"{name} is no single value: it cannot be compared"
    elif times and _moment(condition.text) is None:
        yield f"{name} is a time, and {condition.text!r} is none such as 2026-11-22T10:00:00Z"
    elif not times and plain & _NUMBERS and _number(condition.text) is None:
        yield f"{name} is a number, and {condition.text!r} is none"
    elif symbols and condition.text not in symbols:
        yield f"{name} is one of {', '.join(symbols)}, and not {condition.text!r}"


def _kinds(schema: Any) -> list[Any]:
    """The types of a field: those of a union, without null."""
    options = schema if isinstance(schema, list) else [schema]
    return [option for option in options if option != "null"]


def _comparable(value: Any, wanted: Any) -> Any:
    if isinstance(wanted, datetime):
        return _moment(value)
    return Decimal(str(value)) if isinstance(wanted, Decimal) else value


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return None if number.is_nan() else number


def _moment(text: str) -> datetime | None:
    if not text[:4].isdecimal() or "-" not in text:
        return None
    try:
        return parse_timestamp(text)
    except ValueError:
        return None
