"""Resident memory of a worker: idle with three agents, and under a backlog that does not end."""

import time
from collections.abc import Sequence
from statistics import linear_regression

import psutil

from bench.agents import BACKLOG
from bench.children import Child, tail
from bench.consuming import worker
from bench.errors import UnavailableContestantError
from bench.ground import Ground
from bench.limits.limit import Limit, limit
from bench.programs import Program

BACKLOG_EVENTS = 5_000_000
_WARM_UP_S, _WATCH_S, _LOOK_S = 60.0, 300.0, 5.0
_IDLE_S = 10.0
_MB = 1e6
_THREE = "images,text,analytics"


def measure(ground: Ground) -> list[Limit]:
    """The idle worker, then the busy one."""
    ground.fill_backlog(BACKLOG_EVENTS)
    idle = Program(words=["faust", "-A", "streams", "worker", "--agents", _THREE])
    with idle.start(ground.folder_of("idle"), broker=ground.settings.bootstrap_servers, events=0) as child:
        time.sleep(_IDLE_S)
        worker_mb, children_mb = _resident_mb(child)
    return [
        limit(
            "memory-idle", "RSS, idle worker with three agents; then that of its four child processes", "MB",
            figures=[worker_mb, children_mb], value=worker_mb, at_most=200.0,
        ),
        _under_backlog(ground),
    ]  # fmt: skip


def _under_backlog(ground: Ground) -> Limit:
    """Handlers of 1 ms, eight at once, on a backlog of five million."""
    busy = worker("backlog", topic=BACKLOG)
    ground.forget_group("backlog")
    seen: list[tuple[float, float]] = []
    with busy.program.start(ground.folder_of("memory"), broker=ground.settings.bootstrap_servers, events=0) as child:
        started_s = time.monotonic()
        while (passed_s := time.monotonic() - started_s) < _WARM_UP_S + _WATCH_S:
            time.sleep(_LOOK_S)
            if passed_s >= _WARM_UP_S:
                seen.append((passed_s / 60, _resident_mb(child)[0]))
        _check_backlog(ground)
    return limit(
        "memory-slope", "RSS over five minutes under a backlog; then its first and last", "MB/min",
        figures=[seen[0][1], seen[-1][1]], value=slope(seen), at_most=1.0,
    )  # fmt: skip


def slope(seen: Sequence[tuple[float, float]]) -> float:
    """Of the straight line nearest to pairs of minutes and megabytes."""
    return linear_regression([minutes for minutes, _ in seen], [megabytes for _, megabytes in seen]).slope


def _check_backlog(ground: Ground) -> None:
    if ground.committed("backlog", BACKLOG) >= ground.records_in(BACKLOG):
        raise UnavailableContestantError("the backlog was worked off before the time was over")


def _resident_mb(child: Child) -> tuple[float, float]:
    """Of the process, and of its children together."""
    if child.has_ended:
        raise UnavailableContestantError(f"the worker ended: {tail(child.log)[-300:]}")
    process = psutil.Process(child.pid)
    children = sum(each.memory_info().rss for each in process.children(recursive=True))
    return process.memory_info().rss / _MB, children / _MB
