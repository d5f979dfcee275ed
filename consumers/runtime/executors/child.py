"""The child process: bytes in, encoded results out, one record after another; it does not outlive its parent."""

import asyncio
import faulthandler
import fcntl
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from consumers.runtime.agent import Agent, Executor
from consumers.runtime.chunk import Chunk
from consumers.runtime.executors import request as requests
from consumers.runtime.executors.area import Area, Shared, Writer
from consumers.runtime.executors.request import Request
from consumers.runtime.record import HELD, Failed, Outcome
from consumers.runtime.work import Kit
from schemas.settings import Settings

READY = b"ready"
DONE = b""
"""A chunk's last message."""
AREAS = 2
"""One for the chunk that runs, one for the chunk that waits."""
_MIB = 1024 * 1024
_FIRST_TO_GO = "1000"

Perform = Callable[[Request, Callable[[], None]], Iterator[Outcome]]
"""Given what to call when the first record is about to run."""


def main(connection: Connection, tickets: socket.socket, shared: Shared, settings: Settings, agent_name: str) -> None:
    """Serve chunks until the parent is done with this child.

    The first message is READY, or the reason why this child cannot work. A ticket, one byte, says which area a chunk stands in.
    Its outcomes go there one by one, so that a later death costs only the record that runs; DONE says that they are complete.
    """
    _end_with_parent()
    faulthandler.enable()
    _yield_to_others()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the parent's business
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.setdefault("VIPS_CONCURRENCY", "1")
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    try:
        perform = _work(settings, agent_name)
    except Exception as error:
        connection.send_bytes(f"{type(error).__name__}: {error}".encode())
        return
    connection.send_bytes(READY)
    areas = areas_of(shared)
    while ticket := os.read(tickets.fileno(), 1):
        _serve(areas[ticket[0]], connection, perform)


def areas_of(shared: Shared) -> list[Area]:
    """The areas of a child, by ticket."""
    size = len(shared.view) // AREAS
    return [Area(shared.view[size * each : size * (each + 1)]) for each in range(AREAS)]


def _serve(area: Area, connection: Connection, perform: Perform) -> None:
    writer = Writer(area, connection.send_bytes)
    writer.begin()
    stands_there = area.request
    request = requests.decoder.decode(connection.recv_bytes() if stands_there is None else stands_there)
    until_s = time.monotonic() + request.limit_s
    for outcome in perform(request, writer.start):
        writer.add(outcome)
        if time.monotonic() > until_s:
            break
    for _ in request.values()[writer.finished :]:
        writer.add(HELD)
    connection.send_bytes(DONE)


def _yield_to_others() -> None:
    """Tell Linux that what runs here is computing: who wakes up then does not interrupt others, the agent's thread least of all.

    libvips hands its work from thread to thread, a hundred times an image: two single-threaded pools beside each other had 1.10
    times as many images a second with it (36.0 and 39.5, medians of three alternating runs on 2 cores).
    """
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may refuse, which costs speed alone
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _end_with_parent() -> None:
    """End at once when the parent has: an orphan would work on what the partition's next owner works on too.

    A handler may hold the interpreter's lock for as long as it likes, so on Linux the kernel does it, which signals the end of
    the pipe that the parent alone writes to. (Not prctl's death signal: the fork server is the parent there, and lives for as
    long as any of its children.) Elsewhere a thread sees to it. And a kernel short of memory is told to end the child before the
    worker.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(parent.sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, fcntl.fcntl(parent.sentinel, fcntl.F_GETFL) | os.O_ASYNC)
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)
    threading.Thread(target=_outlive_nobody, args=(parent.join,), name="parent", daemon=True).start()


def _outlive_nobody(await_end: Callable[[], None]) -> None:
    await_end()
    os.kill(os.getpid(), signal.SIGKILL)


def _work(settings: Settings, agent_name: str) -> Perform:
    from consumers.runtime.kit import open_kit

    kit = open_kit(settings)
    agent: Agent = next(agent for agent in kit.catalogue.agents if agent.name == agent_name)
    if agent.memory_mb is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (agent.memory_mb * _MIB, agent.memory_mb * _MIB))
    if agent.batch_records:
        return _of_batches(agent, kit)
    return _of_coroutines(agent, kit) if agent.executor is Executor.ASYNCIO else _of_records(agent, kit)


def _of_records(agent: Agent, kit: Kit) -> Perform:
    from consumers.runtime.work import Work

    work = Work(agent, kit)
    decodes_together = agent.memory_mb is None  # polars takes much address space, and aborts where there is none

    def perform(request: Request, start: Callable[[], None]) -> Iterator[Outcome]:
        records, events = request.all_records(), None
        if request.together and decodes_together:
            events = work.decoded(request.values())
        start()
        return work.each(records, events)

    return perform


def _of_coroutines(agent: Agent, kit: Kit) -> Perform:
    from consumers.runtime.work import Work

    work, loop = Work(agent, kit), asyncio.Runner()

    def perform(request: Request, start: Callable[[], None]) -> Iterator[Outcome]:
        """One record after another; after a failure the later ones of its key are held."""
        failed: set[bytes] = set()
        start()
        for record in request.all_records():
            outcome: Outcome = HELD if record.key in failed else loop.run(work.run_async(record))
            if isinstance(outcome, Failed) and record.key is not None:
                failed.add(record.key)
            yield outcome

    return perform


def _of_batches(agent: Agent, kit: Kit) -> Perform:
    """Batches of one record. Of an exact agent nothing is kept: it is a trial.

    Waiting for the database is not the record's time, here as in the worker: then it runs since its transaction has begun.
    """
    from consumers.runtime.batch_work import BatchWork
    from consumers.runtime.executors.inline import performed
    from consumers.runtime.kit import open_trial

    work = BatchWork(agent, kit, state=open_trial(agent, kit))

    def perform(request: Request, start: Callable[[], None]) -> Iterator[Outcome]:
        owner = _Owner(request.topic, request.partition, request.topic_id, request.stored)
        chunk = _Trial(owner, 0, request.all_records(), key_of=lambda record: record.offset)
        chunk.begins = start
        if not agent.exact:
            start()
        left_open = performed(work, chunk)
        return iter(chunk.settled(left_open))

    return perform


class _Trial(Chunk):
    """A chunk that says when its transaction has begun."""

    begins: Callable[[], None]

    def waited(self) -> None:
        """What it waited for is there: its own time begins."""
        super().waited()
        self.begins()


class _Owner(msgspec.Struct):
    """The partition that a batch belongs to, as far as its work must know it."""

    topic: str
    partition: int
    topic_id: str
    stored: int
