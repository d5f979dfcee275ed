"""What can be done for chunks while they wait for a thread: one after another, in a thread of its own."""

import threading
from collections.abc import Callable
from queue import SimpleQueue

import structlog

from consumers.runtime.chunk import Chunk
from consumers.runtime.failure import MESSAGE_BYTES, bounded

log = structlog.get_logger("headrace.agent")


class Ahead:
    """Gets chunks ready, and passes each on, ready or not: what went wrong goes wrong once more where it is handled.

    Args:
        prepare: gets a chunk ready.
        name: of the agent.
        ready: called with each chunk, in the order in which they came.
    """

    def __init__(self, prepare: Callable[[Chunk], None], *, name: str, ready: Callable[[Chunk], None]) -> None:
        self._prepare = prepare
        self._name = name
        self._ready = ready
        self._queue: SimpleQueue[Chunk | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=f"{name}-ahead", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, chunk: Chunk) -> None:
        """Get this one ready too."""
        self._queue.put(chunk)

    def close(self) -> None:
        """End the thread when it is through with what it has."""
        self._queue.put(None)

    def _serve(self) -> None:
        while (chunk := self._queue.get()) is not None:
            try:
                self._prepare(chunk)
            except BaseException as error:  # polars' panics are such; if the thread ended, so would the agent's work
                reason = bounded(str(error), MESSAGE_BYTES)
                log.warning("not_prepared", agent=self._name, error=type(error).__name__, reason=reason)
            self._ready(chunk)
