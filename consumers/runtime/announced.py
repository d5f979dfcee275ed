"""How far records may be started, said in a commit before they are. Pure.

A record that kills its worker says nothing. So a commit's metadata say beforehand up to where records may be started, and
one that leaves cleanly takes it back. Whoever finds it standing knows the suspects: what lies below and was not finished.
"""

_FACTOR = 2
"""Far enough that the next commit has been answered before what was said is used up."""


class Announced:
    """What the broker knows of one assignment's records in hand; nothing at or beyond `known` may be started.

    Args:
        start: the offset at which the assignment starts.
        lanes: how many chunks of it run at once.
        chunk: how many records a chunk has at first.

    Attributes:
        known: offsets below this one may be started: the broker has the commit that says so.
        chunk: how many records a chunk has now: no less than one for each lane is said ahead.
    """

    def __init__(self, start: int, *, lanes: int, chunk: int) -> None:
        self.known = start
        self.chunk = chunk
        self._lanes = lanes
        self._said = start
        self._wanted = start
        self._sent: dict[int, int] = {}
        self._reached_then = start

    @property
    def short(self) -> bool:
        """Whether a record waits that the broker does not know of yet; so at the beginning, before there is one."""
        return self._wanted >= self.known

    @property
    def due(self) -> bool:
        """Whether a commit is to be sent for this alone: one waits, and nothing that is on its way helps it."""
        return self.short and not self.unanswered

    @property
    def unanswered(self) -> bool:
        """Whether the broker has not answered for all that was said."""
        return self._said > self.known

    def wait_for(self, offset: int) -> None:
        """A record of this offset could start, were it known."""
        self._wanted = offset

    def say(self, reached: int) -> int:
        """The offset that the next commit says.

        Args:
            reached: one past the highest offset that was ever handed over.
        """
        reached = max(reached, self._wanted)
        ahead = max(self.chunk * self._lanes, _FACTOR * (reached - self._reached_then))
        self._said = max(self._said, self.known, reached + ahead)
        self._sent.setdefault(self._said, reached)
        return self._said

    def heard(self, said: int) -> None:
        """The broker has a commit that says this."""
        self.known = max(self.known, said)
        self._reached_then = max(self._reached_then, self._sent.get(said, 0))
        self._sent = {other: reached for other, reached in self._sent.items() if other > said}

    def forget(self) -> None:
        """What was said may never have come to the broker."""
        self._said = self.known
        self._sent.clear()
