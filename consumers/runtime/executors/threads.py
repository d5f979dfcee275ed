"""Runs chunks in threads; a thread whose handler hangs is given up and replaced."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from consumers.runtime.chunk import Chunk
from consumers.runtime.executors.ahead import Ahead
from consumers.runtime.executors.inline import Performer, performed
from consumers.runtime.executors.protocol import Completed, Done
from consumers.runtime.executors.slots import Slots
from consumers.runtime.failure import kept_waiting, overrun

_SHORT_S = 0.25
"""A drain also waits for what waits here: behind chunks that take longer, none does."""


class Threads:
    """`concurrency` daemon threads over one queue: a hanging handler must not keep the process alive.

    Where chunks are short, one more for each thread waits in the queue, so that no thread waits for the agent's.

    Args:
        work: what runs a chunk.
        name: of the agent.
        concurrency: how many run at once.
        done: called with what is back.
        prepare: what can be done for a chunk that waits for a thread; None where that is nothing.
    """

    def __init__(
        self,
        work: Performer,
        *,
        name: str,
        concurrency: int,
        done: Done,
        prepare: Callable[[Chunk], None] | None = None,
    ) -> None:
        self._work = work
        self._name = name
        self._concurrency = concurrency
        self._done = done
        self._queue: SimpleQueue[Chunk | None] = SimpleQueue()
        self._preparing = Ahead(prepare, name=name, ready=self._queue.put) if prepare else None
        self._slots: Slots[None] = Slots(concurrency)
        self._given_up: set[Chunk] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._ahead = 0
        self.broken: BaseException | None = None

    @property
    def hung(self) -> int:
        """Threads whose record is past its deadline.

        One that was merely cancelled at a rebalance, or that waits for its database, ends by itself.
        """
        now_s = time.monotonic()
        with self._lock:
            return sum(chunk.overdue(now_s) and chunk.waits_for is None for chunk in self._given_up)

    @property
    def free(self) -> int:
        """Chunks that a thread waits for, and those that may wait for a thread; below 0 where these take longer than they did."""
        return self._slots.free + self._ahead

    def start(self) -> None:
        """Start the threads."""
        for _ in range(self._concurrency):
            self._start_thread()
        if self._preparing is not None:
            self._preparing.start()

    def submit(self, chunk: Chunk) -> None:
        """Hand the chunk to whichever thread is free; one that has to wait is got ready meanwhile."""
        self._slots.take(chunk)
        if self._preparing is not None and self._slots.free < 0 and chunk.records:
            self._preparing.put(chunk)
        else:
            self._queue.put(chunk)

    def running(self) -> list[Chunk]:
        """The chunks that run now, and those that wait for a thread."""
        return self._slots.chunks()

    def expire(self, now_s: float) -> None:
        """Give up the threads whose record is past its deadline."""
        for chunk in self.running():
            waits_for = chunk.waits_for  # before the clock, which starts anew when the wait is over
            if chunk.overdue(now_s) and chunk.answer():
                self._give_up(chunk)
                limit_s = chunk.deadline_s or 0.0
                chunk.failure = kept_waiting(waits_for, limit_s) if waits_for else overrun(limit_s)
                self._done(Completed(chunk, chunk.settled(chunk.failure)))

    def cancel(self, chunk: Chunk) -> None:
        """Discard the chunk's result; its thread ends by itself when the handler returns."""
        if chunk.answer():
            self._give_up(chunk)

    def close(self, limit_s: float) -> None:
        """End the idle threads, and wait for the busy ones up to the limit."""
        if self._preparing is not None:
            self._preparing.close()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(limit_s / max(1, len(self._threads)))

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._serve, name=f"{self._name}-handler", daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()

    def _give_up(self, chunk: Chunk) -> None:
        self._slots.leave(chunk)
        with self._lock:
            self._given_up.add(chunk)
        self._start_thread()

    def _serve(self) -> None:
        while (chunk := self._queue.get()) is not None:
            began_s = time.monotonic()
            left_open = performed(self._work, chunk)
            is_short = time.monotonic() - began_s < _SHORT_S
            if not chunk.answer():
                with self._lock:
                    self._given_up.discard(chunk)
                return
            self._ahead = self._concurrency if is_short else 0
            self._slots.leave(chunk)
            self._done(Completed(chunk, chunk.settled(left_open)))
