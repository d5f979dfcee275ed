"""The child process of the processes executor: bytes in, encoded results out, one record after another."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing.connection import Connection

import msgspec

from consumers.runtime.agent import Agent, Executor
from consumers.runtime.chunk import Chunk
from consumers.runtime.record import HELD, Failed, Outcome, Record
from consumers.runtime.work import Kit
from schemas.settings import Settings

READY = b"ready"
_MIB = 1024 * 1024


class Request(msgspec.Struct, frozen=True, array_like=True):
    """A chunk on its way to a child.

    Attributes:
        records: in offset order.
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
        return cls(chunk.records, owner.topic, owner.partition, owner.topic_id, owner.stored)


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What came of the next records of a request.

    Attributes:
        outcomes: one, or all of a batch.
        stored: of an exact agent, where its partition's stored offset is now.
    """

    outcomes: list[Outcome]
    stored: int | None = None


Perform = Callable[[Request], Iterable[Answer]]
_requests = msgspec.msgpack.Decoder(Request)
_answers = msgspec.msgpack.Encoder()


def main(connection: Connection, settings: Settings, agent_name: str) -> None:
    """Serve chunks until the parent closes the pipe.

    The first message is READY, or the reason why this child cannot work. Then, for each chunk, one message a record: its
    outcome, sent as soon as it is there, so that a later death costs only the record that runs. Of a batch there is one.
    """
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
        for answer in perform(request):
            connection.send_bytes(_answers.encode(answer))


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


def _each(request: Request, *, run: Callable[[Record], Outcome]) -> Iterable[Answer]:
    """One record after another; after a failure the later ones of its key are held."""
    failed: set[bytes] = set()
    for record in request.records:
        outcome: Outcome = HELD if record.key in failed else run(record)
        if isinstance(outcome, Failed) and record.key is not None:
            failed.add(record.key)
        yield Answer([outcome])


def _of_batches(agent: Agent, kit: Kit) -> Perform:
    from consumers.runtime.batch_work import BatchWork
    from consumers.runtime.executors.inline import performed
    from consumers.runtime.kit import open_state

    work = BatchWork(agent, kit, state=open_state(agent, kit))

    def perform(request: Request) -> Iterable[Answer]:
        owner = _Owner(request.topic, request.partition, request.topic_id, request.stored)
        chunk = Chunk(owner, 0, request.records, key_of=lambda record: record.offset)
        left_open = performed(work, chunk)
        yield Answer(chunk.settled(left_open), owner.stored if agent.exact else None)

    return perform


class _Owner(msgspec.Struct):
    """The partition that a batch belongs to, as far as its work must know it."""

    topic: str
    partition: int
    topic_id: str
    stored: int
