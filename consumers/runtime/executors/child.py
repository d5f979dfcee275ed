"""The child process of the processes executor: bytes in, encoded results out, one record after another."""

import os
import signal
from multiprocessing.connection import Connection

import msgspec

from consumers.runtime.record import HELD, Failed, Outcome, Record
from schemas.settings import Settings

READY = b"ready"
_MIB = 1024 * 1024
_requests = msgspec.msgpack.Decoder(list[Record])
_answers = msgspec.msgpack.Encoder()


def main(connection: Connection, settings: Settings, agent_name: str) -> None:
    """Serve chunks until the parent closes the pipe.

    The first message is READY, or the reason why this child cannot work. Then, for each chunk, one message a record: its
    outcome, sent as soon as it is there, so that a later death costs only the record that runs.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the parent's business
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.setdefault("VIPS_CONCURRENCY", "1")
    try:
        work = _work(settings, agent_name)
    except Exception as error:
        connection.send_bytes(f"{type(error).__name__}: {error}".encode())
        return
    connection.send_bytes(READY)
    while True:
        try:
            records = _requests.decode(connection.recv_bytes())
        except EOFError:
            return
        failed: set[bytes] = set()
        for record in records:
            outcome: Outcome = HELD if record.key in failed else work.run(record)
            if isinstance(outcome, Failed) and record.key is not None:
                failed.add(record.key)
            connection.send_bytes(_answers.encode(outcome))


def _work(settings: Settings, agent_name: str):  # type: ignore[no-untyped-def]
    from consumers.runtime.kit import open_kit
    from consumers.runtime.work import Work

    kit = open_kit(settings)
    agent = next(agent for agent in kit.catalogue.agents if agent.name == agent_name)
    if agent.memory_mb is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (agent.memory_mb * _MIB, agent.memory_mb * _MIB))
    return Work(agent, kit)
