"""Runs a chunk where it is submitted: in the agent's own thread."""

from typing import Protocol

from consumers.runtime.chunk import Chunk
from consumers.runtime.executors.protocol import Completed, Done
from consumers.runtime.failure import failure_of
from consumers.runtime.record import HELD, Failed, Held


class Performer(Protocol):
    """What runs a whole chunk in one thread."""

    def perform(self, chunk: Chunk) -> None:
        """Give every record of the chunk its outcome."""


def performed(work: Performer, chunk: Chunk) -> Held | Failed:
    """Run the chunk; the outcome of what it leaves without one. A fault of ours is the running record's failure too."""
    try:
        work.perform(chunk)
    except BaseException as error:  # a thread that ended here would leave its chunk out for ever
        chunk.failure = failure_of(error)
        return chunk.failure
    return HELD


class Inline:
    """No hand-over and no deadline: the chunk's size alone bounds how long polling waits."""

    def __init__(self, work: Performer, *, done: Done) -> None:
        self._work = work
        self._done = done
        self.hung = 0
        self.broken: BaseException | None = None
        self.free = 1

    def start(self) -> None:
        """Nothing to get ready."""

    def submit(self, chunk: Chunk) -> None:
        """Run the chunk now."""
        left_open = performed(self._work, chunk)
        self._done(Completed(chunk, chunk.settled(left_open)))

    def running(self) -> list[Chunk]:
        """None: whoever could ask is the thread that runs it."""
        return []

    def expire(self, now_s: float) -> None:
        """Nothing: a handler that may hang belongs in another executor."""

    def cancel(self, chunk: Chunk) -> None:
        """Nothing: no chunk outlives `submit`."""

    def close(self, limit_s: float) -> None:
        """Nothing to give back."""
