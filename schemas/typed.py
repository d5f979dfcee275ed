"""Many values as typed records in one call: columns by polars, then the record's class once a row, mapped in C.

What one of them costs beside decoding one by one is in docs/performance.md.
"""

from collections.abc import Callable, Sequence
from operator import methodcaller
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import polars as pl

from schemas import framing, wire
from schemas.columnar import Layout, decode_columns
from schemas.conversion import convert
from schemas.errors import NotColumnarError
from schemas.event import Event
from schemas.ranges import Int32, Int64
from schemas.schema_set import Schema

if TYPE_CHECKING:
    from schemas.codec import Codec

E = TypeVar("E", bound=Event)
_Read = Callable[[pl.Series], Sequence[Any]]

_SCALARS: dict[str, tuple[Any, ...]] = {
    "boolean": (bool,), "int": (int, Int32, Int64), "long": (int, Int64), "float": (float,), "double": (float,),
    "bytes": (bytes,), "string": (str,),
}  # fmt: skip


def decode_typed(codec: "Codec", values: Sequence[bytes], reader: type[E]) -> list[E | None]:
    """The records of many values, in order.

    None stands where a value is no such record, or has to be decoded by itself: `Codec.decode` says which. Values of several
    writers, or of another one than the reader's own schema, are all left to it, and so is asking the registry.

    Of corrupt bytes one kind passes here that `decode` refuses: an index of a nullable field that is neither of its branches
    reads as the value (see schemas.columnar). It touches no other record.
    """
    if not values:
        return []
    way, prefix = _Rows.of(codec, reader), _current_prefix(codec, values[0], reader)
    if way is None or not prefix:
        return [None] * len(values)
    try:
        records = way.whole(values, prefix) if max(map(len, values)) <= codec.max_value_bytes else None
        if records is not None:
            return records
        if not all(map(methodcaller("startswith", prefix), values)):
            return [None] * len(values)
        columns = decode_columns(codec, values, reader)
        found: list[E | None] = [None] * len(values)
        for index, record in zip(columns.good, way.records(columns.frame), strict=True):
            found[index] = record
    except msgspec.ValidationError:  # of a class that asks for more than its schema
        return [None] * len(values)
    return found


def _current_prefix(codec: "Codec", value: bytes, reader: type[Event]) -> bytes:
    """What a value begins with, if it was written by the reader's own schema, and that is known here; else nothing."""
    writer = codec.known_writer_of(value)
    is_current = writer is not None and writer.fingerprint == codec.schemas[reader.__schema_name__].fingerprint
    return framing.prefix_of(value) if is_current else b""


class _Rows:
    """How the columns of a schema become records of a class; found out once a class."""

    _known: dict[tuple[type[Event], bytes], "_Rows | None"] = {}  # noqa: RUF012  a cache, by all that it depends on

    def __init__(self, reader: type[Event], schema: Schema) -> None:
        self._reader = reader
        self._layout = Layout.of(schema)
        record = wire.tree(schema.raw)
        nodes, hints = dict(record.fields), get_type_hints(reader, include_extras=True)
        fields = zip(reader.__struct_encode_fields__, reader.__struct_fields__, strict=True)
        self._reads = [(column, _read_of(nodes[column], hints[name])) for column, name in fields]

    @classmethod
    def of(cls, codec: "Codec", reader: type[Event]) -> "_Rows | None":
        """None where the schema cannot be columns, or the class is not the schema's."""
        schema = codec.schemas[reader.__schema_name__]
        key = reader, schema.fingerprint
        if key not in cls._known:
            try:
                cls._known[key] = cls(reader, schema)
            except (NotColumnarError, KeyError):
                cls._known[key] = None
        return cls._known[key]

    def whole(self, values: Sequence[bytes], prefix: bytes) -> list[Any] | None:
        """Records of values that begin with this prefix; None when any of them is not so, or not exactly one record."""
        frame = self._layout.read(values, prefix)
        return None if frame is None else self.records(frame)

    def records(self, frame: pl.DataFrame) -> list[Any]:
        """A record a row."""
        return list(map(self._reader, *(read(frame.get_column(column)) for column, read in self._reads)))


def _read_of(node: wire.Node, hint: Any) -> _Read:
    """How a column becomes Python values; what the types of a class do not plainly say is checked by msgspec, in one call."""
    if _is_plain(node, hint):
        return pl.Series.to_list
    if isinstance(node, wire.Array) and get_origin(hint) is tuple and _is_plain(node.item, get_args(hint)[0]):
        return _tuples
    wanted = list[hint]

    def converted(column: pl.Series) -> Sequence[Any]:
        return convert([_value(value, node) for value in column.to_list()], wanted)

    return converted


def _tuples(column: pl.Series) -> Sequence[Any]:
    return list(map(tuple, column.to_list()))


def _is_plain(node: wire.Node, hint: Any) -> bool:
    """Whether what the column holds is what the field is to hold."""
    match node:
        case wire.Nullable(inner):
            return get_origin(hint) in {Union, UnionType} and (
                any(_is_plain(inner, part) for part in get_args(hint)) and NoneType in get_args(hint)
            )
        case wire.Enum(symbols):
            return get_origin(hint) is Literal and set(symbols) <= set(get_args(hint))
        case wire.Scalar(kind):
            return hint in _SCALARS.get(kind, ())
        case _:
            return False


def _value(value: Any, node: wire.Node) -> Any:
    """A value of a column as fastavro would give it: maps are lists of key and value there."""
    match node:
        case wire.Nullable(inner):
            return None if value is None else _value(value, inner)
        case wire.Array(item):
            return [_value(each, item) for each in value]
        case wire.Map(inner):
            return {entry["key"]: _value(entry["value"], inner) for entry in value}
        case wire.Record(fields):
            return {name: _value(value[name], inner) for name, inner in fields}
        case _:
            return value
