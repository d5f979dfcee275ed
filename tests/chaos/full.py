"""`make chaos`: the long runs, one after another; each stands for a line of docs, and prints its own JSON object."""

import argparse
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from tests.chaos.say import say


@dataclass(frozen=True, slots=True)
class Long:
    """One long run: its arguments, what it shows, and its minutes on two busy cores."""

    arguments: str
    shows: str
    minutes: float


RUNS = (
    Long(
        "--messages 100000 --kills 100 --strict-redo",
        "nothing is lost in 100 kills, and no more redone than one must",
        6,
    ),
    Long("--messages 30000 --fault term:50", "50 SIGTERMs lose and repeat nothing", 4),
    Long(
        "--messages 20000 --fault kill-at-letters:40,poison --redrive",
        "exactly the poison is dead-lettered, byte for byte, and a redrive leaves none",
        2,
    ),
    Long("--load activity --messages 100000 --rate 2000 --kills 50", "analytics rows are what the log gives", 4),
    Long(
        "--messages 20000 --fault kill:3,stop:3,storm:2,spare,errors,oversize,letters,hang,segfault,memory",
        "workers of every kind of trouble",
        4,
    ),
    Long("--messages 10000 --fault slow,kill:2", "handlers far longer than max.poll.interval.ms", 3),
    Long("--messages 10000 --fault broker:3,network:3", "one broker dies, and its network", 2),
    Long("--messages 10000 --brokers 3 --fault leader:3,broker:2,kill:2", "three brokers, leaders move", 3),
    Long(
        "--messages 10000 --fault disk:2,store:2",
        "full disks under database and store: what they take is waited for",
        2,
    ),
    Long(
        "--messages 20000 --fault unordered,errors,poison,kill:15,storm:1,broker:1 --redrive",
        "retry topics: each failed record of an agent without order is tried again, or redriven, and none is lost",
        2,
    ),
    Long("--messages 10000 --fault recreate,retention:2", "a log that is not what it was", 1),
    Long("--prove", "every mutation of the runtime is seen", 18),
)


def main() -> int:
    """0 if all of them exit with 0."""
    made = argparse.ArgumentParser(prog="python -m tests.chaos.full", description=__doc__)
    made.add_argument("--seeds", type=int, default=1, help="how many seeds of the run with 100 kills")
    given = made.parse_args()
    runs = [
        Long(f"--seed {7 + seed} {RUNS[0].arguments}", RUNS[0].shows, RUNS[0].minutes) for seed in range(given.seeds)
    ]
    runs += RUNS[1:]
    say(f"{len(runs)} runs, about {sum(run.minutes for run in runs):.0f} minutes")
    red = [run for run in runs if not _is_green(run)]
    say(f"{len(runs) - len(red)} of {len(runs)} held")
    for run in red:
        say(f"RED: python -m tests.chaos {run.arguments}")
    return 1 if red else 0


def _is_green(run: Long) -> bool:
    say(f"{run.shows}: python -m tests.chaos {run.arguments} (about {run.minutes:g} min)")
    began_s = time.monotonic()
    with subprocess.Popen([sys.executable, "-m", "tests.chaos", *shlex.split(run.arguments)]) as running:
        try:
            code = running.wait()
        except BaseException:  # whoever stops this stops the broker and the workers of the run too
            running.terminate()
            raise
    say(f"{'held' if code == 0 else 'BROKEN'} in {(time.monotonic() - began_s) / 60:.1f} min")
    return code == 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
