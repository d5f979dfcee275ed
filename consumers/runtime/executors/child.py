"""The child process: bytes in, encoded results out, one record after another; it does not outlive its parent."""

import asyncio
import fcntl
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from consumers.runtime.agent import Agent, Executor
from consumers.runtime.chunk import Chunk
from consumers.runtime.record import HELD, Failed, Outcome, Record
from consumers.runtime.work import Kit
from schemas.settings import Settings

READY = b"ready"
_MIB = 1024 * 1024
_FIRST_TO_GO = "1000"


class Request(msgspec.Struct, frozen=True, array_like=True):
    """A chunk on its way to a child.

    Attributes:
        records: in offset order; what was decoded of them stays behind.
        topic: the broker's name of the topic that they stand in.
        partition: from 0.
        topic_id: Kafka's id of the topic.
        stored: of an exact agent, the partition's stored offset.
    """

    records: list[Record]
    topic: str
    partition: int
    topic_id: str
    stored: int

    @classmethod
    def of(cls, chunk: Chunk) -> "Request":
        """What a child must know of a chunk."""
        owner = chunk.owner
        records = [r if r.event is None else msgspec.structs.replace(r, event=None) for r in chunk.records]
        return cls(records, owner.topic, owner.partition, owner.topic_id, owner.stored)


Perform = Callable[[Request], Iterable[Outcome]]
_requests = msgspec.msgpack.Decoder(Request)
_answers = msgspec.msgpack.Encoder()


def main(connection: Connection, settings: Settings, agent_name: str) -> None:
    """Serve chunks until the parent closes the pipe.

    The first message is READY, or the reason why this child cannot work. Then, for each chunk, one message a record: its
    outcome, sent as soon as it is there, so that a later death costs only the record that runs.
    """
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the parent's business
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.setdefault("VIPS_CONCURRENCY", "1")
    try:
        perform = _work(settings, agent_name)
    except Exception as error:
        connection.send_bytes(f"{type(error).__name__}: {error}".encode())
        return
    connection.send_bytes(READY)
    while True:
        try:
            request = _requests.decode(connection.recv_bytes())
        except EOFError:
            return
        for outcome in perform(request):
            connection.send_bytes(_answers.encode(outcome))


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
    return _of_batches(agent, kit) if agent.batch_records else _of_records(agent, kit)


def _of_records(agent: Agent, kit: Kit) -> Perform:
    from consumers.runtime.work import Work

    work = Work(agent, kit)
    if agent.executor is Executor.ASYNCIO:
        loop = asyncio.Runner()
        return partial(_each, run=lambda record: loop.run(work.run_async(record)))
    return partial(_each, run=work.run)


def _each(request: Request, *, run: Callable[[Record], Outcome]) -> Iterator[Outcome]:
    """One record after another; after a failure the later ones of its key are held."""
    failed: set[bytes] = set()
    for record in request.records:
        outcome: Outcome = HELD if record.key in failed else run(record)
        if isinstance(outcome, Failed) and record.key is not None:
            failed.add(record.key)
        yield outcome


def _of_batches(agent: Agent, kit: Kit) -> Perform:
    """Batches of one record. Of an exact agent nothing is kept: it is a trial."""
    from consumers.runtime.batch_work import BatchWork
    from consumers.runtime.executors.inline import performed
    from consumers.runtime.kit import open_trial

    work = BatchWork(agent, kit, state=open_trial(agent, kit))

    def perform(request: Request) -> list[Outcome]:
        owner = _Owner(request.topic, request.partition, request.topic_id, request.stored)
        chunk = Chunk(owner, 0, request.records, key_of=lambda record: record.offset)
        left_open = performed(work, chunk)
        return chunk.settled(left_open)

    return perform


class _Owner(msgspec.Struct):
    """The partition that a batch belongs to, as far as its work must know it."""

    topic: str
    partition: int
    topic_id: str
    stored: int
