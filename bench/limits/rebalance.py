"""How long the partitions that stay stand still while another worker joins, and while it leaves."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from bench.agents import ASKED
from bench.consuming import worker
from bench.errors import UnavailableContestantError
from bench.events import activities
from bench.ground import Ground
from bench.limits import sightings
from bench.limits.limit import Limit, limit
from producers import Publisher
from schemas.settings import Settings

_PER_S = 500
_ALONE_S, _TOGETHER_S = 6.0, 8.0
_RUNS = 3
_AGENT = worker("sight", topic=ASKED)


def measure(ground: Ground) -> list[Limit]:
    """The longest pause of three runs, under 500 events a second: the four partitions have work all the time, and no backlog."""
    pauses_s = [_longest_pause_s(ground) for _ in range(_RUNS)]
    title = "longest pause of a partition that stays, while a worker joins and leaves"
    return [limit("rebalance", title, "s", figures=pauses_s, value=max(pauses_s), at_most=1.0)]


def _longest_pause_s(ground: Ground) -> float:
    """One worker alone, two, one alone again."""
    ground.forget_group(*_AGENT.groups)
    folder, servers = ground.folder_of("rebalance"), ground.settings.bootstrap_servers
    with _publishing(ground), _AGENT.program.start(folder, broker=servers, events=0) as stays:
        time.sleep(_ALONE_S)
        from_ns = time.monotonic_ns()
        with _AGENT.program.start(folder, broker=servers, events=0) as comes:
            time.sleep(_TOGETHER_S)
        time.sleep(_ALONE_S)
        until_ns = time.monotonic_ns()
    return _longest_s(folder, stays.pid, comes.pid, between=(from_ns, until_ns))


@contextmanager
def _publishing(ground: Ground) -> Iterator[None]:
    """Events at an even pace, from a thread."""
    over = threading.Event()
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(_publish, ground.settings, over)
        try:
            yield
        finally:
            over.set()
        done.result()


def _publish(settings: Settings, over: threading.Event) -> None:
    began_s = time.perf_counter()
    with Publisher(settings) as publisher:
        for number, event in enumerate(activities(_PER_S * 120)):
            if over.wait(max(0.0, began_s + number / _PER_S - time.perf_counter())):
                return
            publisher.publish(event, topic=ASKED)


def _longest_s(folder: Path, stays: int, comes: int, *, between: tuple[int, int]) -> float:
    kept, taken = sightings.read(folder, stays), sightings.read(folder, comes)
    if not taken or not kept.keys() - taken.keys():
        raise UnavailableContestantError("no partition stayed, or the second worker got none")
    staying = {partition: kept[partition] for partition in kept.keys() - taken.keys()}
    return longest_gap_ns(staying, between=between) * 1e-9


def longest_gap_ns(seen: Mapping[int, Sequence[int]], *, between: tuple[int, int]) -> int:
    """The longest time between two sightings of a partition, within the bounds."""
    from_ns, until_ns = between
    gaps = [
        later - earlier
        for times in seen.values()
        for earlier, later in pairwise([from_ns, *(at for at in times if from_ns <= at <= until_ns), until_ns])
    ]
    return max(gaps, default=0)
