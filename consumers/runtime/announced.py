"""How far records may be started, said in a commit before they are. Pure.

A record that kills its worker says nothing. So a commit's metadata say beforehand up to where records may be started, and
one that leaves cleanly takes it back. Whoever finds it standing knows the suspects: what lies below and was not finished.

Only an assignment's first commit is waited for, before its first record: work is not to stop because the group's coordinator
is away. A record beyond what the broker knows can so kill its worker unseen, but not for ever: an owner that follows a death
says four times as much at its beginning, so that the suspects reach any record after a few deaths.
"""

FIRST_RECORDS = 200
"""What the first commit says: more are not in hand before it is known how fast they go."""
_FACTOR = 2
"""As much as is started between two commits, and once more: the next one is at the broker before that is used up."""
_AFTER_A_DEATH = 4


class Announced:
    """What one assignment's commits say of the records that may be started.

    Args:
        start: the offset at which the assignment starts.
        suspects_until: what the commit of an owner that died says; 0 where none did.
        lanes: how many chunks of it run at once.

    Attributes:
        chunk: how many records a chunk has now.
    """

    def __init__(self, start: int, *, suspects_until: int, lanes: int) -> None:
        self.chunk = 1
        self._lanes = lanes
        self._said = start + max(FIRST_RECORDS, _AFTER_A_DEATH * (suspects_until - start))
        self._stands = False
        self._reached_then = start

    def due(self, reached: int) -> bool:
        """Whether a commit is to say more: the next chunk would pass what was said.

        Args:
            reached: one past the highest offset that was ever handed over; at least the start.
        """
        return not self._stands or reached + self.chunk > self._said

    def say(self, reached: int) -> int:
        """The offset that the next commit says."""
        ahead = _FACTOR * max(self.chunk * self._lanes, reached - self._reached_then)
        self._said = max(self._said, reached + ahead)
        self._reached_then, self._stands = reached, True
        return self._said

    def forget(self) -> None:
        """What was said last may not be at the broker: it is to be said again."""
        self._stands = False
