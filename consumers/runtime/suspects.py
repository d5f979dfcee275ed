"""Which records may have killed the earlier owners of a partition, and what became of trying them apart. Pure.

A record that kills its worker says nothing. What is known is that owners ended without leaving, one after another, while
the commit did not move: whatever did that was in flight each time, so it is among the first records from the commit on.
One such death may be anybody's, and a commit that has moved speaks for the records: so two in a row are waited for, and
the first is counted anew wherever the commit stands. Suspicion costs nobody an attempt: a suspect runs in a child
process, and only that child's death is charged to it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from consumers.runtime.metadata import Hold, Note

MANY_DEATHS = 2
"""So many in a row, at one offset, make suspects."""
_SLACK = 2
"""What was finished after the last commit (0.05 s, or a busy broker's second) counts as unfinished to the next owner; in
flight are four seconds of work at most, or 200 records."""


def take_over(said: Note, *, owner: str, start: int, high: int) -> Hold:
    """The mark of a partition's new owner.

    Args:
        said: what the partition's commit says.
        owner: the new one; its own mark, left by a loss or a restart of the partition, is nobody's death.
        start: the offset at which it starts.
        high: the log's end: where nothing stood beyond the commit, nothing can have killed.
    """
    before = said.hold
    if before is None or before.since != start or start >= high:
        return Hold(owner, start)
    return Hold(owner, start, before.deaths + (before.owner != owner), before.in_flight)


class Suspects:
    """The suspects of one assignment: every unfinished record below `until`.

    Args:
        until: the offset below which they lie; 0 for none.
        most: of those that are not finished, how many from the first on are suspects.
        died: how often a child process has died of a record that is not finished, by offset: it stays a suspect.

    Attributes:
        until: one past the highest suspect.
        died: as given, and as charged since.
    """

    def __init__(self, *, until: int = 0, most: int = 0, died: Iterable[tuple[int, int]] = ()) -> None:
        self.died = dict(died)
        self._left = most
        self.until = max(until, self._until_of_the_died())

    @classmethod
    def of(cls, hold: Hold, died: Iterable[tuple[int, int]], *, high: int) -> "Suspects":
        """Those of a partition that was taken over: none after fewer deaths than many, but what children died of."""
        if hold.deaths < MANY_DEATHS:
            return cls(died=died)
        return cls(until=high, most=max(1, hold.in_flight * _SLACK), died=died)

    def delivered(self, offsets: Sequence[int]) -> None:
        """Note offsets that were delivered and are not finished, in their order: enough of them, and no more are suspects."""
        if not self._left:
            return
        below = bisect_left(offsets, self.until)
        if below >= self._left:
            self.until = max(offsets[self._left - 1] + 1, self._until_of_the_died())
        self._left = max(0, self._left - below)

    @property
    def expected(self) -> bool:
        """Whether more of them may still be delivered."""
        return self._left > 0

    def charge(self, offset: int, times: int) -> None:
        """A child process has died of this record, so many times by now."""
        self.died[offset] = times
        self.until = max(self.until, offset + 1)

    def forget_below(self, offset: int) -> None:
        """What lies below is finished."""
        if self.died:
            self.died = {at: times for at, times in self.died.items() if at >= offset}

    def _until_of_the_died(self) -> int:
        return max(self.died, default=-1) + 1
