"""`python -m bench.chart`: bench/chart.svg from results.json and scaling.json: who is how fast, and what it costs to grow."""

import json
import math
import sys
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CHART = HERE / "chart.svg"
_WIDTH, _LEFT, _RIGHT = 960, 330, 110
_BAR, _GAP, _TOP = 16, 7, 46
_PANEL_WIDTH, _PANEL_HEIGHT, _COLUMNS = 300, 170, 3
_OURS, _BARE, _PEERS, _INK, _GRID = "#1f6feb", "#57606a", "#bf8700", "#24292f", "#d8dee4"
_CONSUMERS = (
    "columns", "analytics", "inline", "threads", "asyncio", "processes", "bare", "bare-defaults", "faststream-batch", "quix",
    "faust-take", "faust", "faststream", "dramatiq", "celery-rabbitmq-solo", "celery-rabbitmq", "celery-redis-solo", "celery-redis",
)  # fmt: skip
"""The rows that handle the same events, in the order in which a reader looks for them."""
_HEADRACE = frozenset(_CONSUMERS[:6])
_FIRST_PER_S, _LAST_PER_S = 100.0, 2_000_000.0

Json = dict[str, Any]


def main() -> int:
    """Draw what there is."""
    results = _read("results.json")
    CHART.write_text(svg(results, _read("scaling.json")), encoding="utf-8")
    return 0


def svg(results: Sequence[Json], points: Sequence[Json]) -> str:
    """The chart.

    Args:
        results: as `python -m bench` writes them.
        points: as `python -m bench.scaling` writes them; none for a chart without its lines.
    """
    by_name = {row["name"]: row for row in results}
    shown = [by_name[name] for name in _CONSUMERS if name in by_name and by_name[name]["events_per_s"]]
    bars_height = _TOP + len(shown) * (_BAR + _GAP) + 26
    lines = [(title, list(of_line)) for title, of_line in groupby(points, lambda point: str(point["title"]))]
    rows = math.ceil(len(lines) / _COLUMNS)
    height = bars_height + (30 + rows * (_PANEL_HEIGHT + 26) if lines else 0)
    machine = results[0]["machine"] if results else ""
    body = [
        f"<rect width='{_WIDTH}' height='{height}' fill='#ffffff'/>",
        _text(16, 26, f"Events a second, one worker, logarithmic; {machine}", size=14, anchor="start"),
        _axis(bars_height),
        *(_bar(row, _TOP + index * (_BAR + _GAP)) for index, row in enumerate(shown)),
    ]
    if lines:
        body.append(
            _text(16, bars_height + 20, "As the work grows: events/s of one event, inline (keys: in 8 lanes)", size=14)
        )
    for index, (title, of_line) in enumerate(lines):
        x = 16 + index % _COLUMNS * (_PANEL_WIDTH + 14)
        y = bars_height + 40 + index // _COLUMNS * (_PANEL_HEIGHT + 26)
        body.append(_panel(title, of_line, x, y))
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' font-family='system-ui, sans-serif' "
        f"role='img' aria-label='events a second of Headrace and its peers'>{''.join(body)}</svg>\n"
    )


def _bar(row: Json, y: float) -> str:
    spread, name = row["events_per_s"], row["name"]
    colour = _OURS if name in _HEADRACE else _BARE if name.startswith("bare") else _PEERS
    end = _x(spread["median"])
    label = row["title"] if colour != _OURS else f"Headrace: {row['title']}"
    return (
        _text(_LEFT - 8, y + 12, label, anchor="end")
        + f"<rect x='{_LEFT}' y='{y}' width='{max(1.0, end - _LEFT):.1f}' height='{_BAR}' fill='{colour}'/>"
        + f"<line x1='{_x(spread['min']):.1f}' x2='{_x(spread['max']):.1f}' y1='{y + 8}' y2='{y + 8}' stroke='{_INK}'/>"
        + _text(_x(spread["max"]) + 6, y + 12, f"{spread['median']:,.0f}", anchor="start")
    )


def _axis(height: float) -> str:
    parts = []
    for power in range(2, 7):
        x = _x(10.0**power)
        parts.append(f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{_TOP - 6}' y2='{height - 24}' stroke='{_GRID}'/>")
        parts.append(_text(x, height - 10, f"{10**power:,}", size=10))
    return "".join(parts)


def _x(per_s: float) -> float:
    share = math.log(max(per_s, _FIRST_PER_S) / _FIRST_PER_S) / math.log(_LAST_PER_S / _FIRST_PER_S)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _panel(title: str, points: Sequence[Json], x: float, y: float) -> str:
    """One line, its values evenly spaced, since each series grows by about the same factor."""
    measured = [point["events_per_s"]["median"] if point["events_per_s"] else None for point in points]
    highest = max((rate for rate in measured if rate is not None), default=1.0) * 1.15
    base, step = y + _PANEL_HEIGHT - 30, (_PANEL_WIDTH - 60) / max(1, len(points) - 1)
    places = [
        (x + 40 + index * step, base - rate / highest * (_PANEL_HEIGHT - 70))
        for index, rate in enumerate(measured)
        if rate is not None
    ]
    rates = [rate for rate in measured if rate is not None]
    line = " ".join(f"{at:.1f},{up:.1f}" for at, up in places)
    values = (
        _text(x + 40 + index * step, base + 16, f"{point['value']:,}", size=10) for index, point in enumerate(points)
    )
    dots = (
        f"<circle cx='{at:.1f}' cy='{up:.1f}' r='3' fill='{_OURS}'/>{_text(at, up - 8, _short(rate), size=10)}"
        for (at, up), rate in zip(places, rates, strict=True)
    )
    return (
        _text(x + 4, y + 14, title, anchor="start")
        + f"<line x1='{x + 20}' x2='{x + _PANEL_WIDTH}' y1='{base}' y2='{base}' stroke='{_GRID}'/>"
        + f"<polyline points='{line}' fill='none' stroke='{_OURS}' stroke-width='2'/>"
        + "".join([*dots, *values])
    )


def _short(rate: float) -> str:
    return f"{rate / 1000:,.0f} k" if rate >= 10_000 else f"{rate / 1000:,.1f} k" if rate >= 1000 else f"{rate:,.0f}"


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "") -> str:
    where = anchor or ("start" if size == 14 else "middle")
    return f"<text x='{x:.0f}' y='{y:.0f}' font-size='{size}' fill='{_INK}' text-anchor='{where}'>{escape(text)}</text>"


def _read(name: str) -> list[Json]:
    path = HERE / name
    found: list[Json] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return found


if __name__ == "__main__":
    sys.exit(main())
