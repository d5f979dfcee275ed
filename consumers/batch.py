"""What a batch handler works on: the records of one partition, as columns."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    import polars as pl

T = TypeVar("T")


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
            String. Of an agent that says its `fields`, those alone; of one whose `fields` are (), empty.
    """

    topic: str
    partition: int
    offsets: Sequence[int]
    timestamps_ms: Sequence[int]
    headers: Sequence[Mapping[str, bytes]]
    frame: "pl.DataFrame"

    def __len__(self) -> int:
        return len(self.offsets)


class Later(Sequence[T], Generic[T]):
    """A column that most handlers never look at: it is made when it is first asked for.

    Args:
        count: its length.
        make: gives its values.
    """

    def __init__(self, count: int, make: Callable[[], Sequence[T]]) -> None:
        self._count = count
        self._make = make

    @cached_property
    def _values(self) -> Sequence[T]:
        return self._make()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        return iter(self._values)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: Any) -> Any:
        return self._values[index]
