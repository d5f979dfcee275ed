"""A contestant's program: where it runs, and when it is done."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import progress
from bench.children import Child, environment, tail
from bench.environments import ROOT, python_of
from bench.errors import UnavailableContestantError
from bench.progress import Progress
from consumers.runtime.group import FETCHING
from schemas.catalogue import built_in
from schemas.schema_set import without_logical_types

CAP_S = 20.0
"""A run is over when every event is handled, or after so long; the rate is of what was handled by then."""
PEERS = Path(__file__).parent / "peers"
_START_LIMIT_S = 60.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command, and where it runs.

    Attributes:
        words: the first is looked up in its environment; {events} becomes how many events there are.
        environment: the name of the peer's virtual environment; None for this one.
        env: what its environment has of its own.
    """

    words: Sequence[str]
    environment: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    def start(self, folder: Path, *, broker: str, events: int, group: str = "") -> Child:
        """Start it in a run's folder; its output is appended to the folder's log."""
        command = self.command(events=events)
        env = self.environ(folder, broker=broker, group=group)
        return Child(command, env=env, cwd=folder if self.environment else ROOT, log=folder / "worker.log")

    def command(self, *, events: int) -> list[str]:
        """Its words, ready for a process."""
        python = python_of(self.environment) if self.environment else Path(sys.executable)
        program, *options = [word.format(events=events) for word in self.words]
        return [str(python.parent / program), *options]

    def output(self, folder: Path, *, broker: str, cwd: Path, name: str, limit_s: float) -> str:
        """Run it to its end; what it prints. What it says beside that is in the folder's NAME.log.

        Raises:
            UnavailableContestantError: if it fails.
            subprocess.TimeoutExpired: if it takes longer than `limit_s`.
        """
        log = folder / f"{name}.log"
        with log.open("wb") as errors:
            done = subprocess.run(
                self.command(events=0), env=self.environ(folder, broker=broker), cwd=cwd,
                stdout=subprocess.PIPE, stderr=errors, timeout=limit_s, check=False,
            )  # fmt: skip
        if done.returncode != 0:
            raise UnavailableContestantError(f"{name} ended with {done.returncode}: {tail(log)[-300:]}")
        return done.stdout.decode()

    def environ(self, folder: Path, *, broker: str, group: str = "") -> dict[str, str]:
        """Its environment: a peer gets the schema and Headrace's librdkafka settings by it, Headrace its own variables."""
        own = {"BENCH_FOLDER": str(folder), "BENCH_TALLY": str(folder / "tally"), "BENCH_BROKER": broker}
        if self.environment:
            schema = built_in().schemas["headrace.ActivityRecorded"]
            own |= {
                "BENCH_SCHEMA": json.dumps(without_logical_types(schema.raw)),
                "BENCH_FETCHING": json.dumps(FETCHING),
            }
            own |= {"PYTHONPATH": str(PEERS), "C_FORCE_ROOT": "1"}
        else:
            own |= {"PYTHONPATH": str(ROOT), "KAFKA_BOOTSTRAP_SERVERS": broker}
            own |= {"HEADRACE_STORE_URL": str(folder / "objects"), "HEADRACE_DATABASE_URL": database(folder)}
        return environment(folder, BENCH_GROUP=group, **own, **self.env)


def watch(workers: Sequence[Child], tallies: Path, events: int) -> Progress:
    """The progress at the moment when all events are handled, or when the time is up.

    Raises:
        UnavailableContestantError: if a worker ends before, or nothing is handled for a minute.
    """
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


def database(folder: Path) -> str:
    """The URL of a run's own database."""
    return f"sqlite:///{folder / 'headrace.db'}"
