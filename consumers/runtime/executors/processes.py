"""Runs chunks in child processes: each record has its deadline, and what overruns it is killed."""

import multiprocessing
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from types import ModuleType

import msgspec

from consumers.runtime.agent import Agent
from consumers.runtime.chunk import Chunk
from consumers.runtime.executors import child as child_module
from consumers.runtime.executors.protocol import Completed, Done
from consumers.runtime.executors.slots import Slots
from consumers.runtime.failure import died, overrun
from consumers.runtime.record import HELD, Failed, Outcome
from consumers.runtime.work import Kit
from schemas.errors import HeadraceError
from schemas.settings import Settings

_START_LIMIT_S = 60.0
_PRELOADED = ["consumers.runtime.executors.child", "consumers.runtime.kit", "consumers.runtime.work"]
_main_lock = threading.Lock()
_requests = msgspec.msgpack.Encoder()
_answers = msgspec.msgpack.Decoder(Outcome)


class PoolError(HeadraceError):
    """Raised when a child process cannot start; no record is to blame for it."""


class Processes:
    """Children, each kept by a thread of the parent; only bytes cross the pipe.

    A pool library's time-out is a chunk's; here the deadline is the record's, and each result comes back as it is done,
    so the keeper is our own (a pebble pool would redo, or charge, the neighbours of a record that hangs).

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
        self._queue: SimpleQueue[Chunk | None] = SimpleQueue()
        self._children = children
        self._slots: Slots[_Child] = Slots(children)
        self._keepers: list[threading.Thread] = []
        self.hung = 0
        self.broken: BaseException | None = None

    @property
    def free(self) -> int:
        """Children that wait for a chunk."""
        return self._slots.free

    def start(self) -> None:
        """Start the keepers, each of which starts its child."""
        for _ in range(self._children):
            keeper = threading.Thread(target=self._keep, name=f"{self._agent.name}-keeper", daemon=True)
            self._keepers.append(keeper)
            keeper.start()

    def submit(self, chunk: Chunk) -> None:
        """Hand the chunk to whichever child is free."""
        self._slots.take(chunk)
        self._queue.put(chunk)

    def running(self) -> list[Chunk]:
        """The chunks that run now."""
        return self._slots.chunks()

    def expire(self, now_s: float) -> None:
        """Nothing: each keeper watches its child's deadline."""

    def cancel(self, chunk: Chunk) -> None:
        """Kill the child that runs the chunk."""
        self._take_back(chunk)

    def dismiss(self) -> list[Chunk]:
        """End the children without waiting for that; the chunks that are not done, for somebody else to do."""
        for _ in self._keepers:
            self._queue.put(None)
        return [chunk for chunk in self.running() if self._take_back(chunk)]

    def close(self, limit_s: float) -> None:
        """End the children: the idle ones by closing their pipe, the others by a kill at the limit."""
        for _ in self._keepers:
            self._queue.put(None)
        until_s = time.monotonic() + limit_s
        for keeper in self._keepers:
            keeper.join(max(0.0, until_s - time.monotonic()))
        for chunk in self.running():
            self.cancel(chunk)
        for keeper in self._keepers:
            keeper.join(1.0)

    def _take_back(self, chunk: Chunk) -> bool:
        """Kill the child that runs the chunk; whether it was not done yet."""
        child, is_open = self._slots.leave(chunk), chunk.answer()
        if is_open and child is not None:
            child.kill()
        return is_open

    def _keep(self) -> None:
        child = None
        try:
            child = _Child(self._settings, self._agent)
            while (chunk := self._queue.get()) is not None:
                if chunk.answered:
                    continue
                if not child.alive:
                    gone, child = child, None  # closed once, even where no other one can start
                    gone.close()
                    child = _Child(self._settings, self._agent)
                self._run(chunk, child)
        except BaseException as error:  # a keeper that ended silently would leave its chunk out for ever
            self.broken = error
        finally:
            if child is not None:
                child.close()

    def _run(self, chunk: Chunk, child: "_Child") -> None:
        self._slots.run_by(chunk, child)
        failure = child.run(chunk)
        if chunk.answer():
            self._slots.leave(chunk)
            self._done(Completed(chunk, chunk.settled(failure or HELD)))


class _Child:
    """One child process and its pipe."""

    def __init__(self, settings: Settings, agent: Agent) -> None:
        # Never fork beside librdkafka's threads: the fork server is a clean process of its own.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        self._pipe, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=child_module.main, args=(theirs, settings, agent.name), name=f"headrace-{agent.name}", daemon=True
        )
        with _without_main():
            self._process.start()
        self._dead = False
        theirs.close()
        self._await_ready(self._pipe)

    @property
    def alive(self) -> bool:
        return not self._dead and self._process.is_alive()

    def run(self, chunk: Chunk) -> Failed | None:
        """Run the chunk; the failure that ended it early, charged to the record that ran, or None."""
        try:
            self._pipe.send_bytes(_requests.encode(child_module.Request.of(chunk)))
            for index in range(len(chunk.records)):
                chunk.index, chunk.started_s = index, time.monotonic()
                if not self._pipe.poll(chunk.deadline_s):
                    self.kill()
                    return overrun(chunk.deadline_s or 0.0)
                chunk.outcomes[index] = _answers.decode(self._pipe.recv_bytes())
        except (EOFError, OSError):
            self._process.join(5.0)
            self.kill()  # its pipe is gone, whatever of it lingers
            return died(self._process.exitcode)
        return None

    def kill(self) -> None:
        """SIGKILL. It counts as dead from now on, though the fork server reaps it a little later."""
        self._dead = True
        self._process.kill()

    def close(self) -> None:
        """Close the pipe, which ends an idle child, and reap it."""
        self._pipe.close()
        self._process.join(2.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def _await_ready(self, pipe: Connection) -> None:
        try:
            answer = pipe.recv_bytes() if pipe.poll(_START_LIMIT_S) else b"it did not answer in time"
        except EOFError:
            answer = b"it ended before it was ready"
        if answer != child_module.READY:
            self._process.kill()
            self._process.join()
            raise PoolError(f"a child process cannot start: {answer.decode(errors='replace')}")


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep what is started within from running the worker's main script first.

    That is `faust`, whose imports are most of a child's start (`python -X importtime -m faust --version`); a suspect, or the
    successor of a child that was killed, waits for it.
    """
    with _main_lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
