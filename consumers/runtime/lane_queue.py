"""What waits in a lane, in the pieces in which it came. Pure."""

from collections import deque
from collections.abc import Sequence
from itertools import chain

from consumers.runtime.block import joined, offsets_of
from consumers.runtime.record import Record


class LaneQueue:
    """Records of one lane, in the order in which they may run."""

    def __init__(self) -> None:
        self._pieces: deque[Sequence[Record]] = deque()
        self._taken = 0
        """How many records of the first piece are gone already: cutting it anew each time would copy it each time."""

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def append(self, records: Sequence[Record]) -> None:
        """Behind all others."""
        if records:
            self._pieces.append(records)

    def put_first(self, records: Sequence[Record]) -> None:
        """Before all others."""
        if records:
            self._cut_first()
            self._pieces.appendleft(records)

    def take(self, limit: int) -> Sequence[Record]:
        """The first records, at most `limit` of them."""
        taken, room = list[Sequence[Record]](), limit
        while self._pieces and room:
            first, start = self._pieces[0], self._taken
            piece = first[start : start + room] if start or len(first) > room else first
            self._taken += len(piece)
            room -= len(piece)
            if self._taken == len(first):
                self._pieces.popleft()
                self._taken = 0
            taken.append(piece)
        return joined(taken) if taken else []

    def take_below(self, offset: int, limit: int) -> Sequence[Record]:
        """The first records below an offset; what was put back may lie across each other, so they are put in order."""
        self._cut_first()
        records = sorted(chain.from_iterable(self._pieces), key=lambda record: record.offset)
        count = min(limit, sum(record.offset < offset for record in records))
        self._pieces.clear()
        self.append(records[count:])
        return records[:count]

    def has_below(self, offset: int) -> bool:
        """Whether a record lies below the offset."""
        self._cut_first()
        return any(min(offsets_of(piece)) < offset for piece in self._pieces)

    def _cut_first(self) -> None:
        if self._taken:
            self._pieces[0] = self._pieces[0][self._taken :]
            self._taken = 0
