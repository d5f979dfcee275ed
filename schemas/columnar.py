"""Many records in one call: bodies behind a random guard, read by polars as one block, or one by one where it fails.

The guard closes what a joined block opens: a body with bytes too many or too few would silently shift its neighbours.
The same 8 random bytes follow every body, and are read as a last field of every record. They are drawn for this block alone and
never leave the process, so they occur at exactly n places, and n matching guards say that record i used exactly body i. A chance
match takes about (bytes of the block) * 2**-63.

What polars does not see, all of it within a record, and none of it moving what stands beside it:

- an index of a nullable field that is neither of its two branches reads as the value;
- what a field holds that is passed over, because other ones were chosen: a string there need not be UTF-8;
- an array or map that is passed over, and whose blocks lie about their size in bytes: the fields behind it may then read as
  something else than fastavro reads, which looks at the items.
"""

import io
import json
import math
import os
import secrets
import struct
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import fastavro
import polars as pl

from schemas import framing, wire
from schemas.errors import DecodeError, NotColumnarError
from schemas.event import Event
from schemas.finish import dtype_of, finish
from schemas.schema_set import Schema

if TYPE_CHECKING:
    from schemas.codec import Codec

PREFIX, GUARD = "__prefix", "__guard"
LEAF = 16
"""So many values are decoded one by one when a block of them failed: that takes 110 us, as one more read by polars does."""
_SYNC = bytes(16)
_DRAWN_AT_ONCE = 512
_marks: deque[bytes] = deque()


@dataclass(frozen=True, slots=True)
class Columns:
    """What became of a batch of values.

    Attributes:
        frame: one row a decoded value, in order; one column a field of the reader's schema: times as Int64
            (microseconds since the epoch, UTC), enums as String, maps as a list of key and value.
        good: the indexes of the values decoded, rising; parallel to the frame's rows.
        bad: the error of every other value, by its index.
    """

    frame: pl.DataFrame
    good: Sequence[int]
    bad: dict[int, DecodeError]


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows, and the indexes of the values they come from."""

    good: list[int]
    frame: pl.DataFrame


def decode_columns(
    codec: "Codec", values: Sequence[bytes], reader: type[Event], fields: tuple[str, ...] | None = None
) -> Columns:
    """Decode a batch; see `Codec.columns`."""
    target = codec.schemas[reader.__schema_name__]
    layout = Layout.of(target, fields)
    whole = _read_whole(codec, values, target, layout)
    if whole is not None:
        return Columns(whole, range(len(values)), {})
    batch = _Batch(codec, values, reader, layout)
    for writer, indexes in batch.by_writer():
        batch.decode(indexes, quick=writer.fingerprint == target.fingerprint)
    return batch.columns()


def _read_whole(codec: "Codec", values: Sequence[bytes], target: Schema, layout: "Layout") -> pl.DataFrame | None:
    """The frame of values that are all good and of the reader's own schema, as nearly all batches are; None of any other."""
    prefix = framing.prefix_of(values[0]) if values else b""
    if not prefix or max(map(len, values)) > codec.max_value_bytes:
        return None
    writer = codec.known_writer_of(values[0])
    if writer is None or writer.fingerprint != target.fingerprint:
        return None
    return layout.read(values, prefix)


class Layout:
    """A schema's header for polars and the columns that come out; made once a schema, and choice of its fields.

    Attributes:
        is_choice: whether some of the fields are left out; those are passed over, and what they hold is not seen.
    """

    _known: dict[tuple[bytes, tuple[str, ...] | None], "Layout"] = {}  # noqa: RUF012  a cache: the key says all that a layout holds

    def __init__(self, schema: Schema, fields: tuple[str, ...] | None = None) -> None:
        os.environ["RUST_BACKTRACE"] = "0"  # a caught panic still prints to stderr: one line is enough
        self._schema = schema
        whole = wire.tree(schema.raw)
        chosen = whole.fields if fields is None else tuple(field for field in whole.fields if field[0] in fields)
        self._record = wire.Record(chosen)
        self.is_choice = len(chosen) < len(whole.fields)
        self._wanted = [name for name, node in chosen if not wire.is_null(node)]
        self._dtypes = {name: dtype_of(node) for name, node in chosen}
        self._polars_schema = wire.polars_schema(whole)
        self._heads: dict[int, bytes] = {}

    @classmethod
    def of(cls, schema: Schema, fields: tuple[str, ...] | None = None) -> "Layout":
        """The schema's, made once."""
        if (schema.fingerprint, fields) not in cls._known:
            cls._known[schema.fingerprint, fields] = cls(schema, fields)
        return cls._known[schema.fingerprint, fields]

    def read(self, values: Sequence[bytes], prefix: bytes = b"") -> pl.DataFrame | None:
        """All values as a frame; None when any of them is not this prefix and exactly one record of this schema.

        The prefix is read as a first field: to cut it off each value took 0.41 us a value, off a joined block 0.23, this takes 0.03.
        """
        mark, guard = _fresh_guard()
        block = mark.join([*values, b""])
        container = b"".join((self._head(len(prefix)), _zigzag(len(values)), _zigzag(len(block)), block, _SYNC))
        framing_columns = [PREFIX, GUARD] if prefix else [GUARD]
        try:
            frame = pl.read_avro(io.BytesIO(container), columns=[*framing_columns, *self._wanted])
            if frame.height != len(values) or not (frame.drop_in_place(GUARD) == guard).all():
                return None
            if prefix and not (frame.drop_in_place(PREFIX) == pl.Series([prefix])).all():
                return None
            return finish(frame, self._record)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError):
            # A panic is a BaseException. All of them mean the same here: look closer, value by value if need be.
            return None

    def _head(self, prefix_bytes: int) -> bytes:
        """The container's head for values with a prefix of so many bytes."""
        if prefix_bytes not in self._heads:
            self._heads[prefix_bytes] = _container_head(self._polars_schema, prefix_bytes)
        return self._heads[prefix_bytes]

    def frame(self, rows: list[dict[str, Any]]) -> pl.DataFrame:
        """Rows that were decoded one by one, as the same columns: written again, they are what `read` reads.

        Polars takes 6 us for one list of Python strings, fastavro 4 to write the whole row.
        """
        if not rows:
            return pl.DataFrame(schema=self._dtypes)
        frame = self.read([self._written(row) for row in rows])
        if frame is None:
            raise NotColumnarError(f"polars cannot read records of {self._schema.name}")
        return frame

    def _written(self, row: dict[str, Any]) -> bytes:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._schema.parsed, row, disable_tuple_notation=True)
        return out.getvalue()


class _Batch:
    """The values of one call and what has become of them."""

    def __init__(self, codec: "Codec", values: Sequence[bytes], reader: type[Event], layout: Layout) -> None:
        self._codec = codec
        self._values = values
        self._reader = reader
        self._layout = layout
        self._pieces: list[_Piece] = []
        self._rows: dict[int, dict[str, Any]] = {}
        self._bad: dict[int, DecodeError] = {}
        self._failures_left = 8 + len(values) // 32
        """A failed read costs about 110 us, a value alone 7: with more culprits than this, one by one is cheaper."""

    def by_writer(self) -> Iterator[tuple[Schema, list[int]]]:
        """The indexes of the values of each schema; those that name none are bad."""
        for indexes in self._by_prefix():
            fitting = [index for index in indexes if len(self._values[index]) <= self._codec.max_value_bytes]
            for index in indexes if len(fitting) < len(indexes) else ():
                self._writer(index)
            writer = self._writer(fitting[0]) if fitting else None
            if writer is not None:
                yield writer, fitting
            for index in fitting[1:] if writer is None else ():
                self._writer(index)

    def _by_prefix(self) -> Iterable[list[int]]:
        """The indexes grouped by what the values begin with; nearly always that is one group."""
        prefix = framing.prefix_of(self._values[0]) if self._values else b""
        if prefix and all(map(methodcaller("startswith", prefix), self._values)):
            return [list(range(len(self._values)))]
        groups: dict[bytes, list[int]] = {}
        for index, value in enumerate(self._values):
            groups.setdefault(framing.prefix_of(value), []).append(index)
        return groups.values()

    def decode(self, indexes: list[int], *, quick: bool) -> None:
        """Decode values of one writer; halve what fails until the culprits stand in small company."""
        if quick and self._failures_left:
            if self._read(indexes):
                return
            self._failures_left -= 1
        if not quick or len(indexes) <= LEAF or not self._failures_left:
            self._one_by_one(indexes, quick=quick)
            return
        half = len(indexes) // 2
        self.decode(indexes[:half], quick=True)
        self.decode(indexes[half:], quick=True)

    def columns(self) -> Columns:
        """All pieces in the order of the values."""
        pieces = self._pieces
        if self._rows or not pieces:
            pieces = [*pieces, _Piece(list(self._rows), self._layout.frame(list(self._rows.values())))]
        good = [index for piece in pieces for index in piece.good]
        frame = pieces[0].frame if len(pieces) == 1 else pl.concat([piece.frame for piece in pieces], rechunk=True)
        if any(later < earlier for earlier, later in pairwise(good)):
            order = sorted(range(len(good)), key=good.__getitem__)
            return Columns(frame[order], [good[place] for place in order], self._bad)
        return Columns(frame, good, self._bad)

    def _writer(self, index: int) -> Schema | None:
        """The schema that wrote a value; None, and its error kept, where there is none."""
        try:
            return self._codec.writer_of(self._values[index])
        except DecodeError as error:
            self._bad[index] = error
            return None

    def _read(self, indexes: list[int]) -> bool:
        """Whether all of them are records; then they are decoded."""
        prefix = framing.prefix_of(self._values[indexes[0]])
        frame = self._layout.read([self._values[index] for index in indexes], prefix)
        if frame is None:
            return False
        self._pieces.append(_Piece(indexes, frame))
        return True

    def _one_by_one(self, indexes: list[int], *, quick: bool) -> None:
        """By fastavro, which looks at every field. What of its fault is not wanted is not its fault, as in a larger company."""
        for index in indexes:
            try:
                self._rows[index] = self._codec.plain(self._values[index], self._reader)
            except DecodeError as error:
                if not (quick and self._layout.is_choice and self._read([index])):
                    self._bad[index] = error


def _fresh_guard() -> tuple[bytes, float]:
    """Eight random bytes, drawn for this alone, and the double that they are: finite, and not zero.

    Drawing lets Python's lock go, and to have it again takes up to 5 ms: so it is done for many at once.
    """
    while True:
        try:
            mark = _marks.pop()
        except IndexError:
            drawn = secrets.token_bytes(8 * _DRAWN_AT_ONCE)
            _marks.extend(drawn[start : start + 8] for start in range(0, len(drawn), 8))
            continue
        (guard,) = struct.unpack("<d", mark)
        if guard and math.isfinite(guard):
            return mark, guard


def _container_head(record: dict[str, Any], prefix_bytes: int) -> bytes:
    """The head of an object container (Avro 1.12, "Object Container Files") whose records begin with a prefix and end in a guard."""
    prefix = [{"name": PREFIX, "type": {"type": "fixed", "name": PREFIX, "size": prefix_bytes}}] if prefix_bytes else []
    framed = {**record, "fields": [*prefix, *record["fields"], {"name": GUARD, "type": "double"}]}
    entries = ((b"avro.schema", json.dumps(framed).encode()), (b"avro.codec", b"null"))
    metadata = b"".join(_zigzag(len(part)) + part for entry in entries for part in entry)
    return b"Obj\x01" + _zigzag(len(entries)) + metadata + b"\x00" + _SYNC


def _zigzag(number: int) -> bytes:
    """A number of 0 or more as Avro's variable-length integer."""
    number, out = number << 1, bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


__all__ = ["Columns", "NotColumnarError", "decode_columns"]
