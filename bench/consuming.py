"""One contestant works through the topic, in a process of its own, and is timed from the first event handled to the last."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import progress
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
    """Who works through the topic.

    Attributes:
        command: of its one worker.
        group: its consumer group.
        env: what its environment has beside BENCH_BROKER, BENCH_GROUP, BENCH_FOLDER and BENCH_TALLY.
        check: given the run's folder and the number of events, raises WrongCountsError if the outcome is not right.
    """

    command: Sequence[str]
    group: str
    env: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Path, int], None] | None = None


def worker(agent: str, *, check: Callable[[Path, int], None] | None = None) -> Contestant:
    """A worker of Headrace with one agent of the bench's catalogue."""
    command = [str(_BIN / "faust"), "-A", "streams", "worker", "--catalogue", CATALOGUE, "--agents", agent]
    return Contestant(command=command, group=agent, check=check)


def bare(variant: str) -> Contestant:
    """The bare client loop, `bench.bare`."""
    return Contestant(command=[sys.executable, "-m", "bench.bare", variant], group=f"bare-{variant}")


def run(ground: Ground, name: str, contestant: Contestant) -> float:
    """Events handled a second.

    The steps: 1. a group without a past, 2. start, 3. all handled, or time is up, 4. all committed, 5. stop, 6. check the counts.

    Raises:
        UnavailableContestantError: if it handles nothing.
        WrongCountsError: if it handled, or committed, anything else than what is in the topic.
    """
    ground.forget_group(contestant.group)  # 1
    folder = ground.folder_of(name)
    with Child(
        contestant.command, env=_environment(ground, folder, contestant), cwd=ROOT, log=folder / "log"
    ) as child:  # 2
        reached = _watch(child, folder / "tally", ground.events)  # 3
        is_whole = reached.handled >= ground.events
        if is_whole:
            _await_commit(ground, contestant.group)  # 4
    end = progress.read(folder / "tally") or reached  # 5
    _check_counts(ground, end, committed=ground.committed(contestant.group), is_whole=is_whole)  # 6
    if is_whole and contestant.check is not None:
        contestant.check(folder, ground.events)
    return reached.events_per_s


def all_rolled_up(folder: Path, events: int) -> None:
    """Check that the analytics agent's database has counted every event, once.

    Raises:
        WrongCountsError: if it has not.
    """
    counted = sum(window["count"] + window["dropped"] for window in analytics.read(_database(folder), group="roll-up"))
    if counted != events:
        raise WrongCountsError(f"the database counts {counted:,} of {events:,} events")


def _environment(ground: Ground, folder: Path, contestant: Contestant) -> dict[str, str]:
    return environment(
        folder,
        PYTHONPATH=str(ROOT),
        BENCH_BROKER=ground.settings.bootstrap_servers,
        BENCH_GROUP=contestant.group,
        BENCH_FOLDER=str(folder),
        BENCH_TALLY=str(folder / "tally"),
        KAFKA_BOOTSTRAP_SERVERS=ground.settings.bootstrap_servers,
        HEADRACE_STORE_URL=str(folder / "objects"),
        HEADRACE_DATABASE_URL=_database(folder),
        **contestant.env,
    )


def _database(folder: Path) -> str:
    return f"sqlite:///{folder / 'headrace.db'}"


def _watch(child: Child, tallies: Path, events: int) -> Progress:
    """The progress at the moment when all events are handled, or when the time is up."""
    started_s = time.monotonic()
    while True:
        found = progress.read(tallies)
        if found is not None and (found.handled >= events or time.monotonic_ns() - found.first_ns > CAP_S * 1e9):
            return found
        if child.has_ended or (found is None and time.monotonic() - started_s > _START_LIMIT_S):
            what = "it ended" if child.has_ended else f"it handled nothing within {_START_LIMIT_S:.0f} s"
            raise UnavailableContestantError(f"{what}: {tail(child.log)[-300:]}")
        time.sleep(_LOOK_S)


def _await_commit(ground: Ground, group: str) -> None:
    until_s = time.monotonic() + _COMMIT_LIMIT_S
    while ground.committed(group) < ground.events and time.monotonic() < until_s:
        time.sleep(_LOOK_S)


def _check_counts(ground: Ground, end: Progress, *, committed: int, is_whole: bool) -> None:
    if is_whole and (end.kinds != ground.kinds or committed != ground.events):
        wanted = dict(ground.kinds)
        raise WrongCountsError(f"handled {dict(end.kinds)} and committed {committed:,} of {wanted}")
    if not is_whole and not 0 < committed <= end.handled <= ground.events:
        raise WrongCountsError(f"committed {committed:,} of {end.handled:,} handled events")
