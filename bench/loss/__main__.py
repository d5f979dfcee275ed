"""`python -m bench.loss`: what is lost, by contestant, on the same ids and the same kill -9, poison and exceptions."""

import argparse
import json
import os
import platform
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from bench import rabbitmq
from bench.environments import ROOT, python_of, versions
from bench.errors import UnavailableContestantError
from bench.loss import table
from bench.loss.contestants import CONTESTANTS, Contestant
from bench.loss.fields import field_of
from bench.loss.outcome import Outcome, count
from bench.loss.race import Ledger, run
from bench.loss.workload import SEED, UNDECODABLE, bad_keys, items
from bench.say import say
from devstack import DevstackError

REPORT = Path(__file__).parents[1] / "loss.md"
_EXPLAINED = f"""\
Every contestant gets the same ids (seed {SEED}): 1 % poison, which always raises, 1 % transient, which raise once. The Kafka
contestants get {len(UNDECODABLE)} undecodable values too. The ids are published before two workers start; a handler sleeps 1 ms, then
appends a line to a file. A worker is killed with -9, with its children, when 20, 40 and 60 % are handled, and started again.
A run is over when nothing moves any more, or after ten minutes. Contestants run one after the other, each on a broker of its own.

- *kills* below three, and many ids *still waiting*: it did not get further in the ten minutes.
- *lost*: never handled, and nowhere any more from where a worker would get it. The poison ids are not among them.
- *still waiting*: never handled when the run was over, but still queued, or not covered by the committed offset.
- *dead / waiting / gone*: in a dead-letter topic or queue; still queued for another attempt; gone without a trace but a log line.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the contestants, print the table and write bench/loss.md; 1 when one could not run."""
    parser = argparse.ArgumentParser(prog="python -m bench.loss", description=__doc__)
    known = {contestant.name: contestant for contestant in CONTESTANTS}
    parser.add_argument("--only", default=",".join(known), metavar="NAME,…", help="these contestants: %(default)s")
    parser.add_argument("--ids", type=int, default=10_000, help="how many ids (%(default)s)")
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    options = parser.parse_args(argv)
    names = options.only.split(",")
    if options.ids < 100 or not set(names) <= known.keys():
        parser.error(f"--ids must be at least 100, and --only name some of {', '.join(known)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped then too
    try:
        rows = [_row(known[name], options.ids) for name in names]
    except KeyboardInterrupt:
        say("stopped")
        return 130
    if names == list(known):  # a part of the contestants makes no comparison
        REPORT.write_text(_report(rows, options.ids), encoding="utf-8")
    print(json.dumps([asdict(row) for row in rows], indent=2) if options.output == "json" else table.markdown(rows))
    return int(any(isinstance(row.outcome, str) for row in rows))


def _row(contestant: Contestant, ids: int) -> table.Row:
    say(f"{contestant.title}: starts")
    version = "–"
    outcome: Outcome | str
    try:
        version = _version(contestant)
        outcome = _outcome(contestant, ids)
    except (UnavailableContestantError, DevstackError) as error:
        outcome = str(error)
    say(f"{contestant.title}: {outcome}")
    return table.Row(contestant.title, version, contestant.setting, outcome)


def _outcome(contestant: Contestant, ids: int) -> Outcome:
    """1. a broker, 2. publish, 3. run and kill, 4. look at what was left, 5. count."""
    chosen = items(ids)
    with tempfile.TemporaryDirectory(prefix="headrace-loss-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        with field_of(contestant, folder) as field:  # 1
            field.publish(chosen)  # 2
            finish = run(chosen, Ledger(folder / "ledger"), field.start, quiet_s=contestant.quiet_s)  # 3
            left = field.left_behind()  # 4
        bad = bad_keys() if contestant.broker == "kafka" else []
        return replace(count(chosen, finish.lines, left, undecodable=bad), kills=finish.kills, seconds=finish.seconds)


def _version(contestant: Contestant) -> str:
    python = python_of(contestant.environment) if contestant.environment else Path(sys.executable)
    broker = "Kafka 4.4.0" if contestant.broker == "kafka" else f"RabbitMQ {rabbitmq.version()}"
    own = "" if contestant.environment else f" at {_commit()}"
    return f"{versions(python, contestant.packages)}{own}; {broker}"


def _commit() -> str:
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "an unknown commit"


def _report(rows: Sequence[table.Row], ids: int) -> str:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    machine = f"{os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.system()}, Python {platform.python_version()}"
    command = shlex.join(["python", "-m", "bench.loss", "--ids", str(ids)])
    made = f"Made {datetime.now(UTC):%Y-%m-%d} on {machine}, by `{command}` (`make loss`), which writes this file."
    return f"# What is lost\n\n{made}\n\n{_EXPLAINED}\n{table.markdown(rows)}\n\n{table.settings(rows)}\n"


if __name__ == "__main__":
    sys.exit(main())
