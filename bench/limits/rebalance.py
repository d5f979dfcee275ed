"""How long the partitions that stay stand still while another worker joins, and while it leaves."""

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from bench.agents import BACKLOG
from bench.consuming import worker
from bench.errors import UnavailableContestantError
from bench.ground import Ground
from bench.limits import sightings
from bench.limits.limit import Limit, limit

_BACKLOG_EVENTS = 1_000_000
_ALONE_S, _TOGETHER_S = 6.0, 8.0
_RUNS = 3


def measure(ground: Ground) -> list[Limit]:
    """The longest pause of three runs."""
    ground.fill_backlog(_BACKLOG_EVENTS)
    pauses_s = [_longest_pause_s(ground) for _ in range(_RUNS)]
    title = "longest pause of a partition that stays, while a worker joins and leaves"
    return [limit("rebalance", title, "s", figures=pauses_s, value=max(pauses_s), at_most=1.0)]


def _longest_pause_s(ground: Ground) -> float:
    """One worker alone, two, one alone again; handlers of 1 ms, so that a partition at work is seen all the time."""
    ground.forget_group("backlog")
    folder, one = ground.folder_of("rebalance"), worker("backlog", topic=BACKLOG)
    servers = ground.settings.bootstrap_servers
    with one.program.start(folder, broker=servers, events=0) as stays:
        time.sleep(_ALONE_S)
        from_ns = time.monotonic_ns()
        with one.program.start(folder, broker=servers, events=0) as comes:
            time.sleep(_TOGETHER_S)
        until_ns = time.monotonic_ns() + int(_ALONE_S * 1e9)
        time.sleep(_ALONE_S)
    return _longest_s(folder, stays.pid, comes.pid, between=(from_ns, until_ns))


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
