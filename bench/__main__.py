"""`python -m bench`: events a second, of Headrace and its peers, beside the bare client loop in the same rounds."""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import rounds, rows, table
from bench.ground import ground
from bench.machine import about
from bench.results import Result, plain, results
from bench.rows import ROWS, Row
from bench.say import say

REPORT = Path(__file__).with_name("results.json")
EVENTS = 1_000_000
ROUNDS = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the rows, print the table; 1 when one could not run or missed its bar."""
    options, chosen = _read(argv)
    say(
        f"{len(chosen)} rows, {options.rounds} rounds of {options.events:,} events: about {minutes(chosen, options.rounds)} min"
    )
    try:
        found = _measure(chosen, events=options.events, count=options.rounds)
    except KeyboardInterrupt:
        say("stopped")
        return 130
    if chosen == list(ROWS) and options.events >= EVENTS and options.rounds >= ROUNDS:  # a part makes no comparison
        REPORT.write_text(json.dumps(plain(found, about()), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        say(f"wrote {REPORT}")
    in_json = options.output == "json"
    print(json.dumps(plain(found, about()), indent=2) if in_json else table.markdown(found))
    return int(any(result.unavailable is not None or result.met is False for result in found))


def _read(argv: Sequence[str] | None) -> tuple[argparse.Namespace, list[Row]]:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    known = [row.name for row in ROWS]
    parser.add_argument(
        "--only", default=",".join(known), metavar="NAME,…",
        help="these rows, and those they are measured against: %(default)s",
    )  # fmt: skip
    parser.add_argument("--events", type=int, default=EVENTS, help="how many events a round has (%(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how many rounds (%(default)s)")
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    options = parser.parse_args(argv)
    names = options.only.split(",")
    if options.events < 1 or options.rounds < 1 or not set(names) <= set(known):
        parser.error(f"--events and --rounds must be at least 1, and --only name some of {', '.join(known)}")
    return options, rows.chosen(names)


def minutes(chosen: Sequence[Row], count: int = ROUNDS) -> int:
    """How long so many rounds of these rows take."""
    seconds: float = sum(row.about_s for row in chosen if row.run) * count
    return round(seconds / 60) + 1


def _measure(chosen: Sequence[Row], *, events: int, count: int) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="headrace-bench-", ignore_cleanup_errors=True) as folder:
        started_s = time.monotonic()
        with ground(Path(folder), events=events) as field:
            say(f"{events:,} events are in the topic, after {time.monotonic() - started_s:.0f} s")
            return results(chosen, *rounds.run(chosen, field, rounds=count, say=say))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped then too
    sys.exit(main())
