"""One contestant works through a topic, in processes of its own, and is timed from the first event handled to the last."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import progress
from bench.agents import ACTIVITY
from bench.environments import LOGS
from bench.errors import WrongCountsError
from bench.ground import CATALOGUE, Ground
from bench.programs import Program, database, watch
from bench.progress import Progress
from consumers import analytics

_COMMIT_LIMIT_S = 15.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """Who works through a topic.

    Attributes:
        program: of a worker.
        topic: the topic.
        groups: its consumer groups, where their names are not ours to choose, each of which handles every event; one of the run's
            name otherwise.
        commits: False for one that takes nothing from Kafka.
        workers: how many; the rate is then of the time in which all are at work, for a rebalance is no part of it.
        check: given the run's folder and the number of events, raises WrongCountsError if the outcome is not right.
    """

    program: Program
    topic: str = ACTIVITY
    groups: tuple[str, ...] = ()
    commits: bool = True
    workers: int = 1
    check: Callable[[Path, int], None] | None = None


def worker(
    *agents: str, catalogue: str = CATALOGUE, topic: str = ACTIVITY, workers: int = 1, options: Sequence[str] = (),
    check: Callable[[Path, int], None] | None = None,
) -> Contestant:  # fmt: skip
    """Workers of Headrace with agents of a catalogue of the bench's."""
    words = ["faust", "-A", "streams", "worker", "--catalogue", catalogue, "--agents", ",".join(agents), *options]
    return Contestant(program=Program(words=words), topic=topic, groups=agents, workers=workers, check=check)


def bare(variant: str) -> Contestant:
    """The bare client loop, `bench.bare`."""
    return Contestant(program=Program(words=["python", "-m", "bench.bare", variant]))


def pool(what: str, topic: str) -> Contestant:
    """A bare pool, `bench.pool`, on the events that the topic has too."""
    words = ["python", "-m", "bench.pool", what, "{events}"]
    return Contestant(program=Program(words=words), topic=topic, commits=False)


def peer(environment: str, *words: str, variant: str = "") -> Contestant:
    """Another framework's worker on the same topic."""
    return Contestant(program=Program(words=words, environment=environment, env={"BENCH_VARIANT": variant}))


def run(ground: Ground, name: str, contestant: Contestant) -> float:
    """Events handled a second.

    The steps: 1. a group without a past, 2. start, 3. all handled, or time is up, 4. all committed, 5. stop, 6. check the counts.

    Raises:
        UnavailableContestantError: if it handles nothing.
        WrongCountsError: if it handled, or committed, anything else than what is in the topic.
    """
    folder = ground.folder_of(name)
    groups = contestant.groups or (folder.name,)
    events = ground.kinds(contestant.topic).total()
    for group in groups:
        ground.forget_group(group)  # 1
    with ExitStack() as started:
        workers = [  # 2
            started.enter_context(
                contestant.program.start(
                    folder, broker=ground.settings.bootstrap_servers, events=events, group=groups[0]
                )
            )
            for _ in range(contestant.workers)
        ]
        reached = watch(workers, folder / "tally", events * len(groups))  # 3
        is_whole = reached.handled >= events * len(groups)
        if is_whole and contestant.commits:
            _await_commits(ground, groups, contestant.topic, events)  # 4
    end = progress.read(folder / "tally") or reached  # 5
    try:
        _check_counts(ground, contestant, groups, end, is_whole=is_whole)  # 6
        if is_whole and contestant.check is not None:
            contestant.check(folder, events)
        return (
            progress.rate_together(folder / "tally", contestant.workers)
            if contestant.workers > 1
            else reached.events_per_s
        )
    except WrongCountsError as error:
        raise WrongCountsError(f"{error}; what it said is in {_kept(folder)}") from None


def all_rolled_up(folder: Path, events: int) -> None:
    """Check that the analytics agent's database has counted every event, once.

    Raises:
        WrongCountsError: if it has not.
    """
    counted = sum(window["count"] + window["dropped"] for window in analytics.read(database(folder), group="roll-up"))
    if counted != events:
        raise WrongCountsError(f"the database counts {counted:,} of {events:,} events")


def _kept(folder: Path) -> Path:
    """A copy of a run's log that outlives the run: its own folder is deleted at the end."""
    kept = LOGS / f"{folder.name}.log"
    kept.parent.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(folder / "worker.log", kept))


def _await_commits(ground: Ground, groups: Sequence[str], topic: str, events: int) -> None:
    until_s = time.monotonic() + _COMMIT_LIMIT_S
    for group in groups:
        while ground.committed(group, topic) < events and time.monotonic() < until_s:
            time.sleep(_LOOK_S)


def _check_counts(
    ground: Ground, contestant: Contestant, groups: Sequence[str], end: Progress, *, is_whole: bool
) -> None:
    """Every event is handled once (more often only where a rebalance may repeat it), and committed if it is handled."""
    kinds = Counter({kind: count * len(groups) for kind, count in ground.kinds(contestant.topic).items()})
    committed = (
        sum(ground.committed(group, contestant.topic) for group in groups) if contestant.commits else end.handled
    )
    is_right = end.kinds == kinds or (contestant.workers > 1 and end.kinds >= kinds)
    if is_whole and not (is_right and committed >= kinds.total()):
        raise WrongCountsError(f"handled {dict(end.kinds)} and committed {committed:,} of {dict(kinds)}")
    if not is_whole and not 0 < committed <= end.handled:
        raise WrongCountsError(f"committed {committed:,} of {end.handled:,} handled events")
