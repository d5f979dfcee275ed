"""The chunks that an executor has in hand, and what runs each of them."""

import threading
from typing import Generic, TypeVar

from consumers.runtime.chunk import Chunk

RunsIt = TypeVar("RunsIt")


class Slots(Generic[RunsIt]):
    """The chunks in hand, each with what runs it (a child, a task), once that is known; thread-safe.

    Args:
        concurrency: how many can run at once; whoever lets more wait takes more.
    """

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._taken: dict[Chunk, RunsIt | None] = {}
        self._lock = threading.Lock()

    @property
    def free(self) -> int:
        """How many chunks more could run at once; below 0 where some wait."""
        return self._concurrency - len(self._taken)

    def take(self, chunk: Chunk) -> None:
        """The chunk has come."""
        with self._lock:
            self._taken[chunk] = None

    def run_by(self, chunk: Chunk, runs_it: RunsIt) -> None:
        """Note what runs the chunk; of one that is gone already, nothing."""
        with self._lock:
            if chunk in self._taken:
                self._taken[chunk] = runs_it

    def leave(self, chunk: Chunk) -> RunsIt | None:
        """The chunk goes; what ran it."""
        with self._lock:
            return self._taken.pop(chunk, None)

    def leave_all(self) -> dict[Chunk, RunsIt | None]:
        """All go at once, each with what ran it."""
        with self._lock:
            gone, self._taken = self._taken, {}
            return gone

    def chunks(self) -> list[Chunk]:
        """What is in hand now."""
        with self._lock:
            return list(self._taken)
