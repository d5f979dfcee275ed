"""A run of `bench.publish`, in a process of its own."""

import json
import subprocess
import sys

from bench.agents import PUBLISHED
from bench.children import environment, tail
from bench.environments import ROOT
from bench.errors import UnavailableContestantError, WrongCountsError
from bench.ground import Ground

_LIMIT_S = 300.0


def publish(ground: Ground, way: str) -> float:
    """Events published and acknowledged a second, into a topic that is empty before.

    Raises:
        UnavailableContestantError: if the process fails.
        WrongCountsError: if the topic holds anything else than what was published.
    """
    ground.empty(PUBLISHED)
    folder = ground.folder_of(f"publish-{way}")
    env = environment(folder, PYTHONPATH=str(ROOT), BENCH_BROKER=ground.settings.bootstrap_servers)
    command = [sys.executable, "-m", "bench.publish", way, str(ground.events)]
    log = folder / "log"
    with log.open("wb") as errors:
        done = subprocess.run(
            command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, timeout=_LIMIT_S, check=False
        )
    if done.returncode != 0:
        raise UnavailableContestantError(f"it ended with {done.returncode}: {tail(log)[-300:]}")
    if (found := ground.records_in(PUBLISHED)) != ground.events:
        raise WrongCountsError(f"the topic holds {found:,} of {ground.events:,} records")
    return float(ground.events / json.loads(done.stdout)["seconds"])
