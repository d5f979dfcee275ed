"""The lowest unfinished offset of a partition, over the offsets that were really delivered."""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import islice
from operator import lt


class Watermark:
    """Which delivered offsets are finished, and so how far a commit may go.

    Compaction and transaction markers leave gaps, so the next offset after a finished one is not always it plus one:
    only delivered offsets count, and what lies between two of them needs no work.

    Args:
        start: the offset at which the consumer starts; nothing below it is this watermark's business.
    """

    def __init__(self, start: int) -> None:
        self._committable = start
        self._segments: deque[_Segment] = deque()
        self._unfinished = 0
        self._held_open = 0
        self._latest: _Segment | None = None

    @property
    def committable(self) -> int:
        """The offset that may be committed: everything below it is finished."""
        return self._committable

    @property
    def unfinished(self) -> int:
        """How many delivered offsets are not finished."""
        return self._unfinished

    @property
    def highest(self) -> int:
        """One past the highest delivered offset; the start where none was delivered."""
        return self._segments[-1].last + 1 if self._segments else self._committable

    def deliver(self, offsets: Sequence[int]) -> None:
        """Note offsets that the broker delivered: rising, and above all delivered before.

        Raises:
            ValueError: when they are not; an offset delivered twice would be handled twice at once.
        """
        if not offsets:
            return
        if offsets[0] < self.highest or not _rising(offsets):
            raise ValueError(f"offsets {offsets[0]}..{offsets[-1]} were delivered after {self.highest - 1}")
        self._segments.append(_Segment(offsets))
        self._unfinished += len(offsets)
        self._held_open += len(offsets)

    def finish(self, offsets: Sequence[int]) -> None:
        """Note that these delivered offsets are finished; once each.

        Raises:
            ValueError: for an offset that was not delivered or was finished before.
        """
        rest = offsets
        while rest:
            segment = self._segment_of(rest[0])
            count = segment.finish_first(rest)
            self._unfinished -= count
            rest = rest[count:]
        self._advance()

    def skip_to(self, offset: int) -> None:
        """With nothing unfinished, move on to `offset`: behind it lie only markers and aborted records."""
        if not self._unfinished and offset > self._committable:
            self._segments.clear()
            self._held_open = 0
            self._committable = offset

    def flags_beyond(self) -> bytes:
        """A byte for `committable` and for each offset that follows, up to the last finished one: 1 where it is finished.

        Offsets that were never delivered count as finished: they need no work.
        """
        flags, at = bytearray(), self._committable
        for segment in self._segments:
            flags += b"\1" * (segment.first - at)
            flags += segment.flags_from(max(at, segment.first))
            at = segment.last + 1
        return bytes(flags[: flags.rfind(1) + 1])

    @property
    def held_open(self) -> int:
        """How many delivered offsets, finished or not, the lowest unfinished one keeps from being forgotten."""
        return self._held_open

    def _segment_of(self, offset: int) -> "_Segment":
        """The segment of an offset; records come back in runs, so most often the one that was asked for last."""
        if self._latest is not None and self._latest.first <= offset <= self._latest.last:
            return self._latest
        for segment in self._segments:
            if segment.first <= offset <= segment.last:
                self._latest = segment
                return segment
        raise ValueError(f"offset {offset} was not delivered")

    def _advance(self) -> None:
        while self._segments:
            head = self._segments[0]
            lowest = head.lowest_unfinished()
            if lowest is not None:
                self._committable = max(self._committable, lowest)
                return
            self._committable = head.last + 1
            self._held_open -= len(head)
            self._segments.popleft()


class _Segment:
    """Offsets delivered together, with one byte each: 1 when finished. Searching them is C's work, not Python's."""

    __slots__ = ("_dense", "_flags", "_offsets", "_scanned", "first", "last")

    def __init__(self, offsets: Sequence[int]) -> None:
        self._offsets = offsets
        self.first, self.last = offsets[0], offsets[-1]
        self._dense = self.last - self.first + 1 == len(offsets)
        self._flags = bytearray(len(offsets))
        self._scanned = 0

    def __len__(self) -> int:
        return len(self._offsets)

    def finish_first(self, offsets: Sequence[int]) -> int:
        """Finish as many of these, from the first on, as lie in this segment; how many, at least 1."""
        count = self._run_length(offsets)
        start = offsets[0] - self.first
        if count > 1 and self._flags.find(1, start, start + count) < 0:
            self._flags[start : start + count] = b"\1" * count
            return count
        if self._dense and min(offsets) >= self.first and max(offsets) <= self.last:
            return self._finish_each([offset - self.first for offset in offsets])
        for number, offset in enumerate(offsets):
            if not self.first <= offset <= self.last:
                return number
            index = offset - self.first if self._dense else bisect_left(self._offsets, offset)
            if self._offsets[index] != offset:
                raise ValueError(f"offset {offset} was not delivered")
            self._finish_each([index])
        return len(offsets)

    def _finish_each(self, indexes: list[int]) -> int:
        flags = self._flags
        for index in indexes:
            if flags[index]:
                raise ValueError(f"offset {self._offsets[index]} is finished already")
            flags[index] = 1
        return len(indexes)

    def _run_length(self, offsets: Sequence[int]) -> int:
        """How many of them, from the first on, are one run of this segment without a gap, as most chunks are; 0 for none to speak of."""
        count = min(len(offsets), self.last - offsets[0] + 1)
        if not self._dense or offsets[count - 1] != offsets[0] + count - 1:
            return 0
        dense, first = range(offsets[0], offsets[0] + count), offsets[:count]
        return count if first == dense or [*first] == [*dense] else 0

    def lowest_unfinished(self) -> int | None:
        index = self._flags.find(0, self._scanned)
        if index < 0:
            return None
        self._scanned = index
        return self._offsets[index]

    def flags_from(self, offset: int) -> bytes:
        """A byte for each offset from this one to the last, delivered or not."""
        if self._dense:
            return bytes(self._flags[offset - self.first :])
        flags = bytearray(b"\1" * (self.last - self.first + 1))
        for delivered, flag in zip(self._offsets, self._flags, strict=True):
            flags[delivered - self.first] = flag
        return bytes(flags[offset - self.first :])


def _rising(offsets: Sequence[int]) -> bool:
    dense = range(offsets[0], offsets[0] + len(offsets))
    return offsets == dense or [*offsets] == [*dense] or all(map(lt, offsets, islice(offsets, 1, None)))
