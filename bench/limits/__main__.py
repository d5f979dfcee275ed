"""`python -m bench.limits`: latency, start, memory and rebalance, each against its limit."""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from confluent_kafka import KafkaException

from bench.errors import BenchError
from bench.ground import Ground, ground
from bench.limits import latency, memory, rebalance, starting
from bench.limits.limit import Limit, markdown
from bench.machine import about
from bench.say import say

REPORT = Path(__file__).parents[1] / "limits.json"
PARTS: dict[str, tuple[Callable[[Ground], list[Limit]], float]] = {
    "latency": (latency.measure, 300.0),
    "start": (starting.measure, 30.0),
    "rebalance": (rebalance.measure, 90.0),
    "memory": (memory.measure, 420.0),
}
"""Each with the seconds that it takes."""
_EVENTS = 20_000
"""In the topic of activities, from which a worker's first record comes."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the parts, print them; 1 when a limit is not kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.limits", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), metavar="PART,…", help="these parts: %(default)s")
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    options = parser.parse_args(argv)
    names = options.only.split(",")
    if not set(names) <= PARTS.keys():
        parser.error(f"--only names some of {', '.join(PARTS)}")
    say(f"{', '.join(names)}: about {minutes(names)} min")
    try:
        found = _measure(names)
    except KeyboardInterrupt:
        say("stopped")
        return 130
    written = [{**msgspec.to_builtins(each), **about()} for each in found]
    if names == list(PARTS):
        REPORT.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(written, indent=2) if options.output == "json" else markdown(found))
    return int(any(each.unavailable is not None or each.met is False for each in found))


def minutes(names: Sequence[str] = tuple(PARTS)) -> int:
    """How long these parts take."""
    return round(sum(PARTS[name][1] for name in names) / 60) + 1


def _measure(names: Sequence[str]) -> list[Limit]:
    found: list[Limit] = []
    with (
        tempfile.TemporaryDirectory(prefix="headrace-bench-", ignore_cleanup_errors=True) as folder,
        ground(Path(folder), events=_EVENTS) as field,
    ):
        for name in names:
            try:
                found += PARTS[name][0](field)
            except (BenchError, KafkaException, TimeoutError) as error:
                found.append(Limit(name=name, title=name, unit="", unavailable=str(error)))
            say(f"{name}: done")
    return found


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped then too
    sys.exit(main())
