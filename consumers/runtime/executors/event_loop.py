"""Runs chunks as tasks on an event loop of their own; a loop that a handler blocks is given up and replaced."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator

from consumers.runtime.chunk import Chunk
from consumers.runtime.executors.protocol import Completed, Done
from consumers.runtime.executors.slots import Slots
from consumers.runtime.failure import overrun
from consumers.runtime.record import HELD, Failed, Record
from consumers.runtime.work import Work

_BLOCKED_AFTER_S = 1.0
"""A coroutine is cancelled at its deadline by the loop itself; one that is this late blocks the loop."""
_LATE_S = 0.5
"""An alarm that rings so late says that the loop was blocked. Seen on a busy machine, where the one that blocked it came back
before it was given up: eight neighbours were charged with an attempt."""


class EventLoop:
    """One loop in one daemon thread; `concurrency` chunks at once, each a task."""

    def __init__(self, work: Work, *, concurrency: int, done: Done) -> None:
        self._work = work
        self._done = done
        self._slots: Slots[asyncio.Task[None]] = Slots(concurrency)
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._arrivals = _Arrivals()
        self.hung = 0

    @property
    def free(self) -> int:
        """Chunks that may be added."""
        return self._slots.free

    def start(self) -> None:
        """Start the loop's thread."""
        threading.Thread(target=self._serve, args=(self._loop,), name="event-loop", daemon=True).start()

    def submit(self, chunk: Chunk) -> None:
        """Make the chunk a task of the loop."""
        self._slots.take(chunk)
        if self._arrivals.add(chunk):
            self._loop.call_soon_threadsafe(self._begin, self._arrivals)

    def running(self) -> list[Chunk]:
        """The chunks that run now."""
        return self._slots.chunks()

    def expire(self, now_s: float) -> list[Record]:
        """Give up the loop when a record is so late that its coroutine must be blocking it; which record did."""
        if not any(chunk.overdue(now_s - _BLOCKED_AFTER_S) for chunk in self.running()):
            return []
        guilty = asyncio.current_task(self._loop)  # the coroutine that the loop is in the middle of, and cannot leave
        stuck = self._slots.leave_all()
        with self._lock:
            self.hung += 1
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._loop, self._arrivals = asyncio.new_event_loop(), _Arrivals()
        self.start()
        blockers = []
        for chunk, task in stuck.items():
            if chunk.answer():
                to_blame = task is guilty if guilty is not None else chunk.overdue(now_s)
                if to_blame and chunk.index >= 0:
                    blockers.append(chunk.records[chunk.index])
                ran = overrun(chunk.deadline_s or 0.0) if to_blame else HELD
                self._done(Completed(chunk, chunk.settled(ran)))
        return blockers

    def drop(self, chunk: Chunk) -> None:
        """Cancel the task of a chunk that has been answered for; nothing, where it is not this loop's."""
        task = self._slots.leave(chunk)
        if task is not None:
            self._loop.call_soon_threadsafe(task.cancel)

    def stop(self) -> None:
        """Stop the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()
            with self._lock:
                self.hung -= loop is not self._loop

    def _begin(self, arrivals: "_Arrivals") -> None:
        """Make tasks of what has arrived."""
        for chunk in arrivals.take():
            self._slots.run_by(chunk, asyncio.get_running_loop().create_task(self._perform(chunk)))

    async def _perform(self, chunk: Chunk) -> None:
        alarm = _Alarm(chunk)
        await self._work.perform_async(chunk, alarm)
        alarm.stop()
        if chunk.answer():
            self._slots.leave(chunk)
            self._done(Completed(chunk, chunk.settled(HELD)))


class _Arrivals:
    """Chunks on their way to one loop: it is called once for as many as have come, since a call is a write to its pipe."""

    def __init__(self) -> None:
        self._chunks: deque[Chunk] = deque()
        self._is_called = False

    def add(self, chunk: Chunk) -> bool:
        """Whether the loop must be called."""
        self._chunks.append(chunk)
        if self._is_called:  # and before it looks, it says that it is not
            return False
        self._is_called = True
        return True

    def take(self) -> Iterator[Chunk]:
        """All that have come; what comes from now on calls anew."""
        self._is_called = False
        while self._chunks:
            yield self._chunks.popleft()


class _Alarm:
    """Cancels a chunk's task when the record that runs is past its deadline: one timer a chunk, not one a record.

    A task is cancelled where it awaits, so never between two records. Made within the task.
    """

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self.rang = False
        if chunk.deadline_s is not None:
            self._set(chunk.deadline_s)

    def overrun(self) -> Failed:
        """The outcome of the record that it rang for; from now on for the next one."""
        if self._task is not None:
            self._task.uncancel()
        self.rang = False
        self._set(self._chunk.deadline_s or 0.0)
        return overrun(self._chunk.deadline_s or 0.0)

    def stop(self) -> None:
        """It rings no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _set(self, after_s: float) -> None:
        self._timer = self._loop.call_later(after_s, self._ring)

    def _ring(self) -> None:
        late_s = self._loop.time() - self._timer.when() if self._timer else 0.0
        left_s = self._chunk.started_s + (self._chunk.deadline_s or 0.0) - time.monotonic()
        if left_s > 0:
            self._set(left_s)
        elif late_s > _LATE_S:  # another coroutine has kept the loop: that time was not this one's
            self._chunk.started_s += late_s  # so that `expire` does not take it for one that blocks the loop
            self._set(late_s)
        elif self._task is not None:
            self.rang = True
            self._task.cancel()
