"""Runs chunks in child processes: each record has its deadline, and what overruns it is killed."""

import threading
import time
from collections import deque

from consumers.runtime.agent import Agent
from consumers.runtime.chunk import Chunk
from consumers.runtime.executors.child import AREAS
from consumers.runtime.executors.child_process import ChildProcess, Parcel
from consumers.runtime.executors.protocol import Completed, Done
from consumers.runtime.record import Failed, Held
from consumers.runtime.work import Kit


class Processes:
    """Children, each kept by a thread of the parent; no pickle crosses the pipe.

    A pool library's time-out is a chunk's; here the deadline is the record's, and each result is there as it is done, so the
    keeper is our own (a pebble pool would redo, or charge, the neighbours of a record that hangs).

    Each child has a chunk that runs and one that waits, so that it does not idle while the agent's thread settles the one and
    cuts the next. What waits behind a slow record goes to whichever child has nothing to do.

    Args:
        agent: from the catalogue.
        kit: what its work stands on.
        children: how many.
        done: called with what is back.
    """

    def __init__(self, agent: Agent, kit: Kit, *, children: int, done: Done) -> None:
        self._agent = agent
        self._done = done
        self._settings = kit.settings
        self._lock = threading.Lock()
        self._waiting: deque[Parcel] = deque()
        self._keepers = [_Keeper(self._lock) for _ in range(children)]
        self._closing = False
        self.hung = 0
        self.broken: BaseException | None = None

    @property
    def free(self) -> int:
        """How many chunks there is room for: one that runs and one that waits for each child."""
        return AREAS * len(self._keepers) - len(self._waiting) - sum(len(keeper.parcels) for keeper in self._keepers)

    def start(self) -> None:
        """Start the keepers, each of which starts its child."""
        for keeper in self._keepers:
            name = f"{self._agent.name}-keeper"
            keeper.thread = threading.Thread(target=self._keep, args=(keeper,), name=name, daemon=True)
            keeper.thread.start()

    def submit(self, chunk: Chunk) -> None:
        """Hand the chunk to the child that has least to do."""
        with self._lock:
            self._waiting.append(Parcel(chunk))
            self._hand_out()

    def running(self) -> list[Chunk]:
        """The chunks that run now, or wait for a child."""
        with self._lock:
            kept = [parcel for keeper in self._keepers for parcel in keeper.parcels]
            return [parcel.chunk for parcel in (*kept, *self._waiting)]

    def expire(self, now_s: float) -> None:
        """Nothing: each keeper watches its child's deadline."""

    def cancel(self, chunk: Chunk) -> None:
        """Kill the child that runs the chunk."""
        self._take_back(chunk)

    def dismiss(self) -> list[Chunk]:
        """End the children without waiting for that; the chunks that are not done, for somebody else to do."""
        self._end()
        return [chunk for chunk in self.running() if self._take_back(chunk)]

    def close(self, limit_s: float) -> None:
        """End the children: the idle ones by closing what they listen to, the others by a kill at the limit."""
        self._end()
        until_s = time.monotonic() + limit_s
        for keeper in self._keepers:
            keeper.join(max(0.0, until_s - time.monotonic()))
        for chunk in self.running():
            self.cancel(chunk)
        for keeper in self._keepers:
            keeper.join(1.0)

    def _end(self) -> None:
        with self._lock:
            self._closing = True
            for keeper in self._keepers:
                keeper.called.notify()

    def _take_back(self, chunk: Chunk) -> bool:
        """Kill the child that runs the chunk; whether it was not done yet. One that waits costs no child."""
        with self._lock:
            self._waiting = deque(parcel for parcel in self._waiting if parcel.chunk is not chunk)
            for keeper in self._keepers:
                keeper.drop(chunk)
            return chunk.answer()

    def _keep(self, keeper: "_Keeper") -> None:
        child: ChildProcess | None = None
        try:
            while True:
                if child is None:
                    if self._closing and not self._waiting:
                        return
                    child = ChildProcess(self._settings, self._agent)
                    keeper.child = child
                parcel = self._next_of(keeper)
                if parcel is not None:
                    self._see_through(parcel, keeper, child)
                elif keeper.child is not None:
                    return
                if keeper.child is None:
                    gone, child = child, None  # closed once, even where no other one can start
                    gone.close()
        except BaseException as error:  # a keeper that ended silently would leave its chunk out for ever
            self.broken = error
        finally:
            with self._lock:
                keeper.child = None
            if child is not None:
                child.close()

    def _next_of(self, keeper: "_Keeper") -> Parcel | None:
        """The chunk that the child does now, or died of unseen; None when it may end, or is gone."""
        with self._lock:
            self._hand_out()
            while not keeper.parcels:
                if self._closing or keeper.child is None:
                    return None
                keeper.called.wait()
            return keeper.parcels[0]

    def _see_through(self, parcel: Parcel, keeper: "_Keeper", child: ChildProcess) -> None:
        came_to: Failed | Held | None = child.run(parcel)
        with self._lock:
            keeper.parcels = [other for other in keeper.parcels if other is not parcel]
            if not child.alive:  # what waited for it waits for another one
                keeper.child = None
                again = [parcel, *keeper.parcels] if came_to is None else keeper.parcels
                self._waiting.extendleft(each.unoffered() for each in reversed(again) if not each.chunk.answered)
                keeper.parcels = []
            is_open = came_to is not None and parcel.chunk.answer()
            self._hand_out()
        if is_open and came_to is not None:
            self._done(Completed(parcel.chunk, parcel.chunk.settled(came_to)))

    def _hand_out(self) -> None:
        """Give what waits to the children that have least to do; what waits behind a chunk that runs, to one that has nothing."""
        while True:
            keeper = min(self._keepers, key=_Keeper.load)
            if keeper.child is None or keeper.load() >= AREAS:
                return
            parcel = self._waiting.popleft() if self._waiting else None
            if parcel is None and keeper.load() == 0:
                parcel = next(filter(None, (other.relieved() for other in self._keepers)), None)
            if parcel is None:
                return
            keeper.give(parcel)


class _Keeper:
    """A thread of the parent and what it keeps; all of it under the executor's lock.

    Attributes:
        child: that takes chunks now; None while there is none.
        parcels: what the child has: the first is the one that it does.
        called: that there is something to do, or nothing any more.
    """

    def __init__(self, lock: threading.Lock) -> None:
        self.child: ChildProcess | None = None
        self.parcels: list[Parcel] = []
        self.called = threading.Condition(lock)
        self.thread: threading.Thread | None = None

    def load(self) -> int:
        """How many chunks it has; as many as it can, while it takes none."""
        takes_none = self.child is None or (self.parcels and self.parcels[0].request is not None)
        return AREAS if takes_none else len(self.parcels)

    def give(self, parcel: Parcel) -> None:
        """A chunk more for the child."""
        taken = {other.ticket for other in self.parcels}
        if self.child is not None:
            self.child.offer(parcel, next(ticket for ticket in range(AREAS) if ticket not in taken))
        self.parcels.append(parcel)
        self.called.notify()

    def relieved(self) -> Parcel | None:
        """The chunk that waits behind another one, if there is one and the child has not begun with it: another's from now on."""
        if self.child is None or len(self.parcels) < AREAS or not self.child.take_back(self.parcels[-1]):
            return None
        return self.parcels.pop()

    def drop(self, chunk: Chunk) -> None:
        """Forget the chunk, if it is one of its own; where the child may have begun with it, by a kill."""
        for place, parcel in enumerate(self.parcels):
            if parcel.chunk is chunk:
                del self.parcels[place]
                if self.child is not None and not (place > 0 and self.child.take_back(parcel)):
                    self.child.kill()
                    self.child = None
                return

    def join(self, limit_s: float) -> None:
        """Wait for the thread's end."""
        if self.thread is not None:
            self.thread.join(limit_s)
