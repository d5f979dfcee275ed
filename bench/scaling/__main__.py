"""`python -m bench.scaling`: events a second against partitions, event size, keys, workers, agents and backlog."""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from confluent_kafka import KafkaException

from bench.errors import BenchError
from bench.ground import Ground, ground
from bench.machine import about
from bench.results import Spread
from bench.say import say
from bench.scaling.series import CATALOGUE, SERIES, Series

REPORT = Path(__file__).parents[1] / "scaling.json"
_ROUNDS = 2
_POINT_S = 12.0


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a line: `events_per_s` is None, and `unavailable` says why, where it could not be measured."""

    series: str
    title: str
    value: int
    events_per_s: Spread | None = None
    unavailable: str | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the lines, print them; 1 when a point could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    known = {series.name: series for series in SERIES}
    parser.add_argument("--only", default=",".join(known), metavar="SERIES,…", help="these lines: %(default)s")
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    options = parser.parse_args(argv)
    names = options.only.split(",")
    if not set(names) <= known.keys():
        parser.error(f"--only names some of {', '.join(known)}")
    chosen = [known[name] for name in names]
    say(f"{', '.join(names)}: about {minutes(chosen)} min")
    try:
        found = _measure(chosen)
    except KeyboardInterrupt:
        say("stopped")
        return 130
    written = [{**msgspec.to_builtins(point), **about()} for point in found]
    if names == list(known):
        REPORT.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(written, indent=2) if options.output == "json" else _markdown(found))
    return int(any(point.unavailable is not None for point in found))


def minutes(chosen: Sequence[Series] = SERIES) -> int:
    """How long these lines take."""
    return round(sum(len(series.values) for series in chosen) * _ROUNDS * _POINT_S / 60) + 1


def _measure(chosen: Sequence[Series]) -> list[Point]:
    with (
        tempfile.TemporaryDirectory(prefix="headrace-bench-", ignore_cleanup_errors=True) as folder,
        ground(Path(folder), events=0, catalogue=CATALOGUE) as field,
    ):
        return [_point(field, series, value) for series in chosen for value in series.values]


def _point(field: Ground, series: Series, value: int) -> Point:
    try:
        rates = [round(series.point(field, value), 1) for _ in range(_ROUNDS)]
    except (BenchError, KafkaException, TimeoutError) as error:
        say(f"{series.name} {value:,}: {error}")
        return Point(series=series.name, title=series.title, value=value, unavailable=str(error))
    say(f"{series.name} {value:,}: {', '.join(f'{rate:,.0f} /s' for rate in rates)}")
    return Point(series=series.name, title=series.title, value=value, events_per_s=Spread.of(rates))


def _markdown(found: Sequence[Point]) -> str:
    lines = ["| line | value | events/s: min | max |", "| --- | ---: | ---: | ---: |"]
    for point in found:
        spread = point.events_per_s
        cells = (
            (f"unavailable: {point.unavailable}", "")
            if spread is None
            else (f"{spread.min:,.0f}", f"{spread.max:,.0f}")
        )
        lines.append(f"| {point.series} | {point.value:,} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped then too
    sys.exit(main())
