"""The table, as Markdown, which is plain enough to be printed too."""

import math
from collections.abc import Sequence

from bench.results import Result

_COLUMNS = ("row", "events/s: min", "median", "max", "ratio", "to", "at least", "")


def markdown(found: Sequence[Result]) -> str:
    """The results, one row each; the last column says whether the bar is reached."""
    cells = [_COLUMNS, ("---", *["---:"] * 4, "---", "---:", "---"), *map(_cells, found)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _cells(result: Result) -> tuple[str, ...]:
    bar = "" if result.at_least is None else f"{result.at_least:g}"
    if result.events_per_s is None:
        reason = " ".join((result.unavailable or "").replace("|", "/").split())
        return (f"{result.name}: {result.title}", f"unavailable: {reason}", *["–"] * 4, bar, "")
    spread = result.events_per_s
    figures = (f"{figure:,.0f}" for figure in (spread.min, spread.median, spread.max))
    ratio = "–" if result.ratio is None else _cut(result.ratio)
    met = {None: "", True: "met", False: "missed"}[result.met]
    return (f"{result.name}: {result.title}", *figures, ratio, result.against or "", bar, met)


def _cut(ratio: float) -> str:
    """Two digits, cut and not rounded: a bar of 1.5 that is missed by a hair does not read 1.50."""
    return f"{math.floor(ratio * 100 + 1e-9) / 100:.2f}"
