"""A chunk on its way to a child process: columns, where it has them."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import msgspec

from consumers.runtime.block import Block, values_of
from consumers.runtime.chunk import Chunk
from consumers.runtime.record import Headers, Record

_encoder = msgspec.msgpack.Encoder()


class Columns(msgspec.Struct, frozen=True, array_like=True):
    """Records that nobody has looked at, each an attempt of its own first.

    Attributes:
        headers: None where no record has any.
    """

    offsets: list[int]
    timestamps_ms: list[int]
    keys: list[bytes | None]
    values: list[bytes | None]
    headers: list[Headers] | None

    @classmethod
    def of(cls, block: Block) -> "Columns":
        """Of what a poll brought."""
        headers = block.headers
        return cls([*block.offsets], block.timestamps_ms, block.keys, block.values, headers if any(headers) else None)


class Request(msgspec.Struct, frozen=True, array_like=True):
    """A chunk.

    Attributes:
        topic: the broker's name of the topic that its records stand in.
        partition: from 0.
        topic_id: Kafka's id of the topic.
        stored: of an exact agent, the partition's stored offset.
        limit_s: seconds after which no further record of it is started.
        together: whether its values may be decoded together; not after a child has died of that.
        columns: its records, or None where they are
        records: in offset order.
    """

    topic: str
    partition: int
    topic_id: str
    stored: int
    limit_s: float
    together: bool
    columns: Columns | None = None
    records: list[Record] | None = None

    @classmethod
    def of(cls, chunk: Chunk, *, together: bool) -> "Request":
        """What a child must know of a chunk."""
        owner = chunk.owner
        columns, records = None, None
        if isinstance(chunk.records, Block):
            columns = Columns.of(chunk.records)
        else:
            records = [*chunk.records]
        place = owner.topic, owner.partition, owner.topic_id, owner.stored
        return cls(*place, chunk.limit_s, together, columns, records)

    def encoded(self) -> bytes:
        """As msgpack."""
        return _encoder.encode(self)

    def values(self) -> list[bytes | None]:
        """Of each record."""
        return values_of(self.records or []) if self.columns is None else self.columns.values

    def all_records(self) -> Sequence[Record]:
        """Each of them whole."""
        if self.columns is None:
            return self.records or []
        each = self.columns
        headers: Any = repeat(()) if each.headers is None else each.headers
        places = repeat(self.topic), repeat(self.partition)
        return [*map(Record, *places, each.offsets, each.timestamps_ms, each.keys, each.values, headers)]


decoder = msgspec.msgpack.Decoder(Request)
