"""The activity as a chart: stacked bars by minute and kind, in plain SVG, with a table of figures below."""

from collections import defaultdict
from datetime import UTC, datetime
from html import escape
from typing import Any

_Window = dict[str, Any]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 1080, 300, 64, 36, 44
_COLOURS = {"view": "#1f6feb", "click": "#2da44e", "search": "#bf8700", "purchase": "#cf222e"}


def activity_chart(windows: list[_Window]) -> str:
    """The chart and the table; both empty of bars where there is no window."""
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for window in windows:
        counts[window["window_start"]][window["kind"]] = window["count"]
    minutes = sorted(counts)
    highest = max((sum(counts[minute].values()) for minute in minutes), default=1)
    step = (_WIDTH - _LEFT - 16) / max(1, len(minutes))
    bars = "".join(
        _bar(counts[minute], _LEFT + index * step, step * 0.82, highest) for index, minute in enumerate(minutes)
    )
    labels = "".join(
        _text(_LEFT + index * step + step * 0.41, _HEIGHT - 14, _clock(minute), "middle")
        for index, minute in enumerate(minutes)
        if index % max(1, len(minutes) // 10) == 0
    )
    body = _grid(highest) + bars + labels + _legend()
    return f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='events by minute and kind'>{body}</svg>{_figures(windows)}"


def _bar(of_minute: dict[str, int], x: float, width: float, highest: int) -> str:
    y, parts = float(_HEIGHT - _BOTTOM), []
    for kind, colour in _COLOURS.items():
        height = of_minute.get(kind, 0) / highest * (_HEIGHT - _BOTTOM - _TOP)
        y -= height
        parts.append(f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' fill='{colour}'/>")
    return "".join(parts)


def _grid(highest: int) -> str:
    lines = []
    for part in (0.0, 0.5, 1.0):
        y = _HEIGHT - _BOTTOM - part * (_HEIGHT - _BOTTOM - _TOP)
        lines.append(f"<line x1='{_LEFT}' x2='{_WIDTH - 16}' y1='{y:.0f}' y2='{y:.0f}' stroke='#e3e8ee'/>")
        lines.append(_text(_LEFT - 8, y + 4, f"{highest * part:,.0f}", "end"))
    return "".join(lines)


def _legend() -> str:
    parts = []
    for index, (kind, colour) in enumerate(_COLOURS.items()):
        x = _LEFT + index * 110
        parts.append(
            f"<rect x='{x}' y='14' width='12' height='12' rx='2' fill='{colour}'/>{_text(x + 18, 24, kind, 'start')}"
        )
    return "".join(parts)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f"<text x='{x:.0f}' y='{y:.0f}' font-size='12' fill='#66727f' text-anchor='{anchor}'>{escape(text)}</text>"


def _clock(minute_us: int) -> str:
    return datetime.fromtimestamp(minute_us / 1e6, tz=UTC).strftime("%H:%M")


def _figures(windows: list[_Window]) -> str:
    """The busiest minute of each kind, in figures."""
    busiest: dict[str, _Window] = {}
    for window in sorted(windows, key=lambda window: int(window["count"])):
        busiest[window["kind"]] = window
    heads = ["kind", "busiest minute", "events", "users", "p50 ms", "p95 ms", "p99 ms", "top page"]
    rows = "".join(_figure_row(kind, busiest[kind]) for kind in _COLOURS if kind in busiest)
    return f"<table style='margin-top:12px'><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>{rows}</table>"


def _figure_row(kind: str, window: _Window) -> str:
    percentiles = [f"{window[f'duration_p{number}_ms']:,.0f}" for number in (50, 95, 99)]
    users = f"{window['distinct_users']:,}"
    cells = [
        kind,
        _clock(window["window_start"]),
        f"{window['count']:,}",
        users,
        *percentiles,
        escape(str(window["top_url"])),
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
