"""Records of one partition as columns: what a poll brought is kept as it came, and a `Record` is made where one is looked at."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise, repeat
from operator import attrgetter, itemgetter
from typing import Any, overload

from confluent_kafka import Message

from consumers.runtime.record import Headers, Record

_offset, _value, _key = map(attrgetter, ("offset", "value", "key"))
_timestamp_ms, _headers = attrgetter("timestamp_ms"), attrgetter("headers")
_second = itemgetter(1)  # of what `Message.timestamp` gives: its type, then the time

Place = tuple[str, int]
"""A topic's name on the broker, and a partition."""


class Block(Sequence[Record]):
    """Records of one partition in offset order; the lists are parallel.

    Most records are handled without a result, and then nothing but their offsets and what they say is ever asked for.

    Its messages are kept in the runs in which they were polled: most blocks are joined, and never asked for one list of them.

    Attributes:
        topic: the broker's name.
        partition: from 0.
        offsets: rising; a range where they have no gap, as nearly always.
        values: as on the wire; None is a tombstone.
        tombstones: whether any of the values may be None: looked at once, while what was polled is still in the cache.
    """

    __slots__ = ("_runs", "offsets", "partition", "tombstones", "topic", "values")

    def __init__(
        self,
        place: Place,
        runs: Sequence[list[Message]],
        offsets: Sequence[int],
        values: list[bytes | None],
        *,
        tombstones: bool,
    ) -> None:
        self.topic, self.partition = place
        self.offsets = offsets
        self.values = values
        self._runs = runs
        self.tombstones = tombstones

    @classmethod
    def of(cls, place: Place, messages: list[Message]) -> "Block":
        """What a poll brought from one partition."""
        offsets: Any = [*map(Message.offset, messages)]
        values: Any = [*map(Message.value, messages)]
        return cls(place, [messages], _as_range(offsets), values, tombstones=not all(values) and None in values)

    @classmethod
    def join(cls, blocks: Sequence["Block"]) -> "Block":
        """Blocks of one partition as one, one after another."""
        return cls(
            blocks[0].place,
            [run for block in blocks for run in block._runs],
            _joined_offsets([block.offsets for block in blocks]),
            [*chain.from_iterable(block.values for block in blocks)],
            tombstones=any(block.tombstones for block in blocks),
        )

    @property
    def messages(self) -> list[Message]:
        """As the poll brought them; those of joined blocks are put together when they are first asked for."""
        if len(self._runs) > 1:
            self._runs = [[*chain.from_iterable(self._runs)]]
        return self._runs[0]

    @property
    def place(self) -> Place:
        """Its partition."""
        return self.topic, self.partition

    def pick(self, indexes: Sequence[int]) -> "Block":
        """Those of these indexes, which rise."""
        if len(indexes) < 2:
            return self[indexes[0] : indexes[0] + 1] if indexes else self[:0]
        picked = itemgetter(*indexes)
        values = [*picked(self.values)]
        return Block(
            self.place, [[*picked(self.messages)]], [*picked(self.offsets)], values, tombstones=self.tombstones
        )

    @property
    def keys(self) -> list[bytes | None]:
        """As on the wire."""
        return [*map(Message.key, self.messages)]

    @property
    def timestamps_ms(self) -> list[int]:
        """The records' own timestamps, in milliseconds since the epoch."""
        return [*map(_second, map(Message.timestamp, chain.from_iterable(self._runs)))]

    @property
    def headers(self) -> list[Headers]:
        """As on the wire, in order."""
        raw: Iterable[Any] = map(Message.headers, self.messages)
        return [tuple(headers) if headers else () for headers in raw]

    def __len__(self) -> int:
        return len(self.offsets)

    def __iter__(self) -> Iterator[Record]:
        """All of them, column by column, in C."""
        columns: list[Iterable[Any]] = [
            repeat(self.topic), repeat(self.partition), self.offsets, self.timestamps_ms, self.keys, self.values, self.headers,
        ]  # fmt: skip
        return map(Record, *columns)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> "Block": ...
    def __getitem__(self, index: int | slice) -> "Record | Block":
        if isinstance(index, slice):
            values = self.values[index]
            return Block(self.place, [self.messages[index]], self.offsets[index], values, tombstones=self.tombstones)
        (record,) = self[index : index + 1 or None]
        return record


def offsets_of(records: Sequence[Record]) -> Sequence[int]:
    """Their offsets, in order."""
    return records.offsets if isinstance(records, Block) else [*map(_offset, records)]


def values_of(records: Sequence[Record]) -> list[bytes | None]:
    """Their values, in order."""
    return records.values if isinstance(records, Block) else [*map(_value, records)]


def has_tombstone(records: Sequence[Record]) -> bool:
    """Whether any of the values is None."""
    return (not isinstance(records, Block) or records.tombstones) and None in values_of(records)


def keys_of(records: Sequence[Record]) -> list[bytes | None]:
    """Their keys, in order."""
    return records.keys if isinstance(records, Block) else [*map(_key, records)]


def timestamps_ms_of(records: Sequence[Record]) -> list[int]:
    """Their timestamps, in order, in milliseconds since the epoch."""
    return records.timestamps_ms if isinstance(records, Block) else [*map(_timestamp_ms, records)]


def headers_of(records: Sequence[Record]) -> list[Headers]:
    """Their headers, in order."""
    return records.headers if isinstance(records, Block) else [*map(_headers, records)]


def pick(records: Sequence[Record], indexes: Sequence[int]) -> Sequence[Record]:
    """Those of these indexes, which rise."""
    if len(indexes) == len(records):
        return records
    return records.pick(indexes) if isinstance(records, Block) else [records[index] for index in indexes]


def joined(pieces: Sequence[Sequence[Record]]) -> Sequence[Record]:
    """Pieces of one partition, one after another: blocks stay one."""
    if len(pieces) == 1:
        return pieces[0]
    blocks = [piece for piece in pieces if isinstance(piece, Block)]
    return Block.join(blocks) if blocks and len(blocks) == len(pieces) else [*chain.from_iterable(pieces)]


def _as_range(offsets: list[int]) -> Sequence[int]:
    """The same, as a range where they have no gap: whoever asks for a gap later looks at two numbers, not at each."""
    dense = range(offsets[0], offsets[0] + len(offsets)) if offsets else range(0)
    return dense if [*dense] == offsets else offsets


def _joined_offsets(pieces: Sequence[Sequence[int]]) -> Sequence[int]:
    are_ranges = all(isinstance(piece, range) and piece for piece in pieces)
    if are_ranges and all(before[-1] + 1 == after[0] for before, after in pairwise(pieces)):
        return range(pieces[0][0], pieces[-1][-1] + 1)
    return [*chain.from_iterable(pieces)]
