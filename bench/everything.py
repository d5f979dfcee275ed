"""`python -m bench.everything`: the table, the limits and the lines one after another, then the chart; `make bench`."""

import signal
import sys

from bench import __main__ as table
from bench import chart, rows
from bench.limits import __main__ as limits
from bench.say import say
from bench.scaling import __main__ as scaling


def main() -> int:
    """All of it; 1 when anything could not run, or missed its bar or limit."""
    minutes = {
        "the table": table.minutes(rows.ROWS),
        "latency, start, memory, rebalance": limits.minutes(),
        "the lines as the work grows": scaling.minutes(),
    }
    parts = ", ".join(f"{part} {length}" for part, length in minutes.items())
    say(f"about {sum(minutes.values())} minutes: {parts}")
    codes: list[int] = [table.main([]), limits.main([]), scaling.main([])]
    return max(*codes, chart.main())


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped then too
    sys.exit(main())
