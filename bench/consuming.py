"""One contestant works through a topic, in processes of its own, and is timed from the first event handled to the last."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import progress
from bench.agents import ACTIVITY
from bench.children import Child, environment, tail
from bench.environments import ROOT
from bench.errors import UnavailableContestantError, WrongCountsError
from bench.ground import CATALOGUE, Ground
from bench.progress import Progress
from consumers import analytics

CAP_S = 20.0
"""A run is over when every event is handled, or after so long; the rate is of what was handled by then."""
_START_LIMIT_S = 60.0
_COMMIT_LIMIT_S = 15.0
_LOOK_S = 0.05
_BIN = Path(sys.executable).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """Who works through a topic.

    Attributes:
        command: of a worker.
        topic: the topic.
        group: its consumer group; None for one that takes nothing from Kafka.
        workers: how many; the rate is then of the time in which all are at work, for a rebalance is no part of it.
        check: given the run's folder and the number of events, raises WrongCountsError if the outcome is not right.
    """

    command: Sequence[str]
    topic: str = ACTIVITY
    group: str | None
    workers: int = 1
    check: Callable[[Path, int], None] | None = None


def worker(
    agent: str, *, topic: str = ACTIVITY, workers: int = 1, options: Sequence[str] = (),
    check: Callable[[Path, int], None] | None = None,
) -> Contestant:  # fmt: skip
    """Workers of Headrace with one agent of the bench's catalogue."""
    command = [str(_BIN / "faust"), "-A", "streams", "worker", "--catalogue", CATALOGUE, "--agents", agent, *options]
    return Contestant(command=command, topic=topic, group=agent, workers=workers, check=check)


def bare(variant: str) -> Contestant:
    """The bare client loop, `bench.bare`."""
    return Contestant(command=[sys.executable, "-m", "bench.bare", variant], group=f"bare-{variant}")


def pool(what: str, topic: str) -> Contestant:
    """A bare pool, `bench.pool`, on the events that the topic has too."""
    return Contestant(command=[sys.executable, "-m", "bench.pool", what, "{events}"], topic=topic, group=None)


def run(ground: Ground, name: str, contestant: Contestant) -> float:
    """Events handled a second.

    The steps: 1. a group without a past, 2. start, 3. all handled, or time is up, 4. all committed, 5. stop, 6. check the counts.

    Raises:
        UnavailableContestantError: if it handles nothing.
        WrongCountsError: if it handled, or committed, anything else than what is in the topic.
    """
    events = ground.kinds(contestant.topic).total()
    if contestant.group is not None:
        ground.forget_group(contestant.group)  # 1
    folder = ground.folder_of(name)
    with ExitStack() as started:
        workers = [started.enter_context(_start(ground, folder, contestant)) for _ in range(contestant.workers)]  # 2
        reached = _watch(workers, folder / "tally", events)  # 3
        is_whole = reached.handled >= events
        if is_whole and contestant.group is not None:
            _await_commit(ground, contestant, events)  # 4
    end = progress.read(folder / "tally") or reached  # 5
    _check_counts(ground, contestant, end, is_whole=is_whole)  # 6
    if is_whole and contestant.check is not None:
        contestant.check(folder, events)
    return progress.rate_together(folder / "tally") if contestant.workers > 1 else reached.events_per_s


def all_rolled_up(folder: Path, events: int) -> None:
    """Check that the analytics agent's database has counted every event, once.

    Raises:
        WrongCountsError: if it has not.
    """
    counted = sum(window["count"] + window["dropped"] for window in analytics.read(_database(folder), group="roll-up"))
    if counted != events:
        raise WrongCountsError(f"the database counts {counted:,} of {events:,} events")


def _start(ground: Ground, folder: Path, contestant: Contestant) -> Child:
    env = environment(
        folder,
        PYTHONPATH=str(ROOT),
        BENCH_BROKER=ground.settings.bootstrap_servers,
        BENCH_GROUP=contestant.group or "",
        BENCH_TALLY=str(folder / "tally"),
        KAFKA_BOOTSTRAP_SERVERS=ground.settings.bootstrap_servers,
        HEADRACE_STORE_URL=str(folder / "objects"),
        HEADRACE_DATABASE_URL=_database(folder),
    )
    command = [word.format(events=ground.kinds(contestant.topic).total()) for word in contestant.command]
    return Child(command, env=env, cwd=ROOT, log=folder / "log")


def _database(folder: Path) -> str:
    return f"sqlite:///{folder / 'headrace.db'}"


def _watch(workers: Sequence[Child], tallies: Path, events: int) -> Progress:
    """The progress at the moment when all events are handled, or when the time is up."""
    started_s = time.monotonic()
    while True:
        has_ended = any(worker.has_ended for worker in workers)
        found = progress.read(tallies)
        if found is not None and (found.handled >= events or time.monotonic_ns() - found.first_ns > CAP_S * 1e9):
            return found
        if has_ended or (found is None and time.monotonic() - started_s > _START_LIMIT_S):
            what = "it ended" if has_ended else f"it handled nothing within {_START_LIMIT_S:.0f} s"
            raise UnavailableContestantError(f"{what}: {tail(workers[0].log)[-300:]}")
        time.sleep(_LOOK_S)


def _await_commit(ground: Ground, contestant: Contestant, events: int) -> None:
    until_s = time.monotonic() + _COMMIT_LIMIT_S
    while ground.committed(contestant.group or "", contestant.topic) < events and time.monotonic() < until_s:
        time.sleep(_LOOK_S)


def _check_counts(ground: Ground, contestant: Contestant, end: Progress, *, is_whole: bool) -> None:
    """Every event is handled once (more often only where a rebalance may repeat it), and committed if it is handled."""
    kinds = ground.kinds(contestant.topic)
    committed = end.handled if contestant.group is None else ground.committed(contestant.group, contestant.topic)
    is_right = end.kinds == kinds or (contestant.workers > 1 and end.kinds >= kinds)
    if is_whole and not (is_right and committed >= kinds.total()):
        raise WrongCountsError(f"handled {dict(end.kinds)} and committed {committed:,} of {dict(kinds)}")
    if not is_whole and not 0 < committed <= end.handled:
        raise WrongCountsError(f"committed {committed:,} of {end.handled:,} handled events")
