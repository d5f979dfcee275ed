"""What a worker tells of itself every two seconds, in the compacted topic headrace.workers."""

import os
import socket
import time

import msgspec

from consumers.runtime.runner import Runner


class Running(msgspec.Struct, frozen=True):
    """A record that is being handled: `for_s` is how long, in seconds."""

    topic: str
    partition: int
    offset: int
    for_s: float


class PartitionReport(msgspec.Struct, frozen=True):
    """A partition as its owner sees it: `committed` is confirmed by the broker, -1 for not yet."""

    topic: str
    partition: int
    committed: int
    in_hand: int
    stopped: str | None = None


class AgentReport(msgspec.Struct, frozen=True):
    """One agent of one worker; counts are since the worker's start, times in the units of their names.

    `circuits` are those that are open: for how many seconds, by dependency. `careful` is how many partitions are taken
    carefully: what their last owners may have died of runs in a child process.
    """

    name: str
    protocol: str
    handled: int
    results: int
    retried: int
    waited: int
    dead_lettered: int
    discarded: int
    hung: int
    rate: float
    overall_rate: float
    p50_ms: float | None
    p99_ms: float | None
    partitions: list[PartitionReport]
    running: list[Running]
    circuits: dict[str, float] = {}
    careful: int = 0


class WorkerReport(msgspec.Struct, frozen=True):
    """One worker; `at_ms` is when it said so, in milliseconds since the epoch."""

    worker: str
    host: str
    pid: int
    started_ms: int
    at_ms: int
    agents: list[AgentReport]


def worker_name() -> str:
    """This process's name among the workers."""
    return f"{socket.gethostname()}-{os.getpid()}"


def report_of(runners: list[Runner], *, started_ms: int) -> WorkerReport:
    """What this worker has to tell now."""
    return WorkerReport(
        worker=worker_name(),
        host=socket.gethostname(),
        pid=os.getpid(),
        started_ms=started_ms,
        at_ms=time.time_ns() // 1_000_000,
        agents=[_agent(runner) for runner in runners],
    )


def _agent(runner: Runner) -> AgentReport:
    stats, now_s = runner.stats, time.monotonic()
    return AgentReport(
        name=runner.agent.name,
        protocol=runner.protocol,
        handled=stats.handled,
        results=stats.results,
        retried=stats.retried,
        waited=stats.waited,
        dead_lettered=stats.dead_lettered,
        discarded=stats.discarded,
        hung=runner.hung,
        careful=runner.careful,
        rate=round(stats.rate, 1),
        overall_rate=round(stats.overall_rate, 1),
        p50_ms=stats.percentile_ms(0.5),
        p99_ms=stats.percentile_ms(0.99),
        circuits={
            name: round(now_s - (circuit.opened_s or now_s), 1) for name, circuit in runner.circuits.open.items()
        },
        partitions=[
            PartitionReport(a.topic, a.partition, a.committed, a.watermark.unfinished, a.stopped)
            for a in list(runner.membership.assignments.values())
        ],
        running=[
            Running(record.topic, record.partition, record.offset, round(now_s - chunk.started_s, 3))
            for chunk in runner.running()
            if 0 <= chunk.index < len(chunk.records)
            for record in [chunk.records[chunk.index]]
        ],
    )
