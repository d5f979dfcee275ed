"""One child process as its parent sees it: chunks go in, their outcomes are read, and what overruns its deadline is killed."""

import multiprocessing
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from types import ModuleType

from consumers.runtime.agent import Agent
from consumers.runtime.chunk import Chunk
from consumers.runtime.executors import child as child_module
from consumers.runtime.executors.area import AREA_BYTES, Reader, Shared
from consumers.runtime.executors.request import Request
from consumers.runtime.failure import died, overrun
from consumers.runtime.record import HELD, Failed, Held
from schemas.errors import HeadraceError
from schemas.settings import Settings

_START_LIMIT_S = 60.0
_LOOK_S = 0.1
"""How old what is told of the running record may be. A deadline is looked at when it may have come, not only then."""
_READY_LIMIT_S = 30.0
"""How long a chunk may be decoded, before any record of it runs; it takes milliseconds."""
_END_LIMIT_S = 5.0
_PRELOADED = ["consumers.runtime.executors.child", "consumers.runtime.kit", "consumers.runtime.work"]
_main_lock = threading.Lock()


class PoolError(HeadraceError):
    """Raised when a child process cannot start; no record is to blame for it."""


@dataclass(slots=True, eq=False)
class Parcel:
    """A chunk that a child has, or is to have.

    Attributes:
        together: whether its values may be decoded together: until a child has ended before a record of it began.
        ticket: which area it stands in; None while the child has not got it.
        request: what is to go through the pipe, because it is longer than an area.
    """

    chunk: Chunk
    together: bool = True
    ticket: int | None = None
    request: bytes | None = None

    def unoffered(self) -> "Parcel":
        """The same, for another child."""
        self.ticket = self.request = None
        return self


class ChildProcess:
    """One child process, its memory, its pipe, and the socket that its tickets stand in.

    A ticket lies there until the child takes it, and this side can take it back: a chunk that nobody has begun with can be
    given to somebody else. The kernel sees to it that only one gets it.

    Args:
        settings: of this process.
        agent: from the catalogue.

    Raises:
        PoolError: when it cannot start.
    """

    def __init__(self, settings: Settings, agent: Agent) -> None:
        # Never fork beside librdkafka's threads: the fork server is a clean process of its own.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        shared = Shared(AREA_BYTES * child_module.AREAS)
        self._areas = child_module.areas_of(shared)
        self._pipe, theirs = context.Pipe()
        self._tickets, self._offered = socket.socketpair()
        self._offered.settimeout(None)  # whatever a library has made the default
        self._process: BaseProcess = context.Process(
            target=child_module.main,
            args=(theirs, self._offered, shared, settings, agent.name),
            name=f"headrace-{agent.name}",
            daemon=True,
        )
        with _without_main():
            self._process.start()
        theirs.close()
        shared.close_file()
        self._killed = False
        self._ended = False
        self._await_ready()

    @property
    def alive(self) -> bool:
        """Whether it may be given chunks."""
        return not self._killed and not self._ended and self._process.is_alive()

    def offer(self, parcel: Parcel, ticket: int) -> None:
        """Lay the chunk into an area that is free; the child takes it as soon as it can.

        One that is too long for that goes through the pipe, when the child waits for it: `run` does that.
        """
        request = Request.of(parcel.chunk, together=parcel.together).encoded()
        parcel.ticket = ticket
        if self._areas[ticket].prepare(len(parcel.chunk.records), request):
            self._give(ticket)
        else:
            parcel.request = request

    def take_back(self, parcel: Parcel) -> bool:
        """Whether the chunk, which must be the last one offered, was not begun with; then it is the caller's again."""
        if parcel.ticket is None or (parcel.request is None and not self._recalled(parcel.ticket)):
            return False
        parcel.unoffered()
        return True

    def run(self, parcel: Parcel) -> Failed | Held | None:
        """See the chunk through.

        What is finished stands in the chunk's outcomes afterwards, whatever has ended it.

        Returns:
            What the record that ran comes to; of a chunk that is done, HELD; None where no record was begun with.
        """
        chunk, reader = parcel.chunk, Reader(self._areas[parcel.ticket or 0])
        overran = None
        try:
            if parcel.request is not None:
                self._give(parcel.ticket or 0)
                self._pipe.send_bytes(parcel.request)
            overran = self._see_through(chunk, reader)
        except (EOFError, OSError):
            self._note_end()
        finished = reader.outcomes()
        chunk.outcomes[: len(finished)] = finished
        chunk.index, started_s = reader.running()
        if chunk.index == len(chunk.records):
            return HELD
        if started_s <= 0 and (parcel.together or started_s == 0):
            parcel.together = parcel.together and started_s == 0
            return None
        if overran is not None:
            return overrun(chunk.deadline_s or _READY_LIMIT_S) if chunk.index == overran else HELD
        return HELD if self._killed else died(self._process.exitcode)

    def kill(self) -> None:
        """SIGKILL. It counts as dead from now on, though the fork server reaps it a little later."""
        self._killed = True
        self._process.kill()

    def close(self) -> None:
        """Close what it listens to, which ends an idle child, and reap it."""
        for end in (self._pipe, self._tickets, self._offered):
            end.close()
        self._process.join(2.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def _note_end(self) -> None:
        """Its pipe is gone, whatever of it lingers."""
        self._ended = True
        self._process.join(_END_LIMIT_S)
        self._process.kill()

    def _give(self, ticket: int) -> None:
        with suppress(OSError):  # a child that is gone is noticed by whoever sees the chunk through
            self._tickets.sendall(bytes((ticket,)))

    def _recalled(self, ticket: int) -> bool:
        try:
            found = bytearray(child_module.AREAS)
            del found[self._offered.recv_into(found, 0, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            return False
        for other in found:
            if other != ticket:
                self._give(other)
        return ticket in found

    def _see_through(self, chunk: Chunk, reader: Reader) -> int | None:
        """Wait until the chunk is done, which gives None, or its running record overruns its deadline: its index."""
        while True:
            index, started_s = reader.running()
            if started_s > 0:
                chunk.index, chunk.started_s = index, started_s
            left_s = _left_s(chunk, started_s)
            if self._pipe.poll(max(0.0, min(left_s, _LOOK_S))):
                message = self._pipe.recv_bytes()
                if message == child_module.DONE:
                    return None
                reader.flushed += message
            elif left_s <= 0:
                self.kill()
                self._process.join(_END_LIMIT_S)
                return index if self._hear_out(reader) else None

    def _hear_out(self, reader: Reader) -> bool:
        """Take what a killed child has sent before; whether its chunk is not done."""
        with suppress(EOFError, OSError):
            while self._pipe.poll(0):
                message = self._pipe.recv_bytes()
                if message == child_module.DONE:
                    return False
                reader.flushed += message
        return True

    def _await_ready(self) -> None:
        try:
            answer = self._pipe.recv_bytes() if self._pipe.poll(_START_LIMIT_S) else b"it did not answer in time"
        except EOFError:
            answer = b"it ended before it was ready"
        if answer != child_module.READY:
            self._process.kill()
            self.close()
            raise PoolError(f"a child process cannot start: {answer.decode(errors='replace')}")


def _left_s(chunk: Chunk, started_s: float) -> float:
    """How long what runs now may still take; below 0, the chunk is made ready since then, and at 0 not even that."""
    limit_s = chunk.deadline_s if started_s > 0 else _READY_LIMIT_S
    if limit_s is None or started_s == 0:
        return _LOOK_S
    return abs(started_s) + limit_s - time.monotonic()


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
