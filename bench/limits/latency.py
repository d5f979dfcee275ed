"""From the publish call to the result consumed, at 500 events a second, beside Celery on RabbitMQ and Dramatiq.

Headrace's publisher asks the bare client too: what its answers take is the floor of two hops through a log.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import rabbitmq
from bench.agents import ASKED
from bench.children import tail
from bench.consuming import worker
from bench.errors import BenchError, UnavailableContestantError, WrongCountsError
from bench.ground import Ground
from bench.limits.limit import Limit, limit
from bench.peers.asking import PER_S, SECONDS
from bench.programs import PEERS, Program

_ROUNDS = 3
_WARM_S = 6.0
"""For a worker to start: what is asked before waits, and would count as slow."""
_SCRIPT_LIMIT_S = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One contestant: its worker, who asks it, and whether both talk by RabbitMQ."""

    worker: Program
    asker: Program
    by_rabbitmq: bool = True


_CELERY = ("celery", "-A", "celery_latency", "worker", "--without-gossip", "--without-mingle", "--pool=solo")
CONTESTANTS = {
    "headrace": Asked(
        worker=worker("echo", topic=ASKED).program,
        asker=Program(words=["python", "-m", "bench.ask"]),
        by_rabbitmq=False,
    ),
    "bare": Asked(
        worker=Program(words=["python", "-m", "bench.bare_echo"]),
        asker=Program(words=["python", "-m", "bench.ask"]),
        by_rabbitmq=False,
    ),
    "celery": Asked(
        worker=Program(words=_CELERY, environment="celery"),
        asker=Program(words=["python", str(PEERS / "celery_latency.py")], environment="celery"),
    ),
    "dramatiq": Asked(
        worker=Program(words=("dramatiq", "dramatiq_latency", "-p", "1", "-Q", "default"), environment="dramatiq"),
        asker=Program(words=["python", str(PEERS / "dramatiq_latency.py")], environment="dramatiq"),
    ),
}


def measure(ground: Ground) -> list[Limit]:
    """Three rounds of each; p50 and p99 are the medians of the rounds', and the limit is the faster peer's."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CONTESTANTS}
    failures: dict[str, str] = {}
    with suppress(BenchError):  # the rounds will say it
        _percentiles_ms(ground, "bare", CONTESTANTS["bare"])  # not counted: Kafka's broker compiles its code as it runs
    for _ in range(_ROUNDS):
        for name, asked in CONTESTANTS.items():
            try:
                found[name].append(_percentiles_ms(ground, name, asked))
            except BenchError as error:
                failures[name] = str(error)
    return [limit_ for index, share in enumerate(("p50", "p99")) for limit_ in _limits(index, share, found, failures)]


def _limits(
    index: int, share: str, found: dict[str, list[tuple[float, float]]], failures: dict[str, str]
) -> Iterator[Limit]:
    middle = {name: median(pair[index] for pair in pairs) for name, pairs in found.items() if pairs}
    fastest = min(
        (middle[name] for name, asked in CONTESTANTS.items() if asked.by_rabbitmq and name in middle), default=None
    )
    for name, pairs in found.items():
        title = f"{share}, publish call to result consumed, {PER_S} events/s, {name}"
        row = f"latency-{share}-{name}"
        if name not in middle:
            yield Limit(name=row, title=title, unit="ms", unavailable=failures.get(name))
            continue
        bar = fastest if name == "headrace" else None
        yield limit(row, title, "ms", figures=[pair[index] for pair in pairs], value=middle[name], at_most=bar)


def _percentiles_ms(ground: Ground, name: str, asked: Asked) -> tuple[float, float]:
    folder = ground.folder_of(f"latency-{name}")
    with (
        _broker(ground, folder, asked) as url,
        asked.worker.start(folder, broker=url, events=0, group="echo") as child,
    ):
        time.sleep(_WARM_S)
        if child.has_ended:
            raise UnavailableContestantError(f"the worker ended: {tail(child.log)[-300:]}")
        told = json.loads(asked.asker.output(folder, broker=url, cwd=folder, name="asker", limit_s=_SCRIPT_LIMIT_S))
    if told["answers"] < PER_S * SECONDS:
        raise WrongCountsError(f"{told['answers']:,} answers to {PER_S * SECONDS:,} questions")
    return told["p50_ms"], told["p99_ms"]


@contextmanager
def _broker(ground: Ground, folder: Path, asked: Asked) -> Iterator[str]:
    if asked.by_rabbitmq:
        with rabbitmq.broker(folder) as url:
            yield url
    else:
        yield ground.settings.bootstrap_servers
