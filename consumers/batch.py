"""What a batch handler works on: the records of one partition, as columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition in offset order; the sequences and the frame's rows are parallel.

    Attributes:
        topic: the topic's name in the catalogue, without the prefix; of records that come again, that of their origin.
        partition: from 0.
        offsets: rising, not always without gaps.
        timestamps_ms: the records' own timestamps, in milliseconds since the epoch.
        headers: each record's headers; of a name that occurs twice, the last. Records that come again by a retry topic have
            `headrace-origin-topic`.
        frame: one column a field, by the field's name: times as Int64 (microseconds since the epoch, UTC), enums as
            String. Empty, without columns, for an agent with `decode=False`.
    """

    topic: str
    partition: int
    offsets: Sequence[int]
    timestamps_ms: Sequence[int]
    headers: Sequence[Mapping[str, bytes]]
    frame: "pl.DataFrame"

    def __len__(self) -> int:
        return len(self.offsets)
