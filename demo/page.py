"""out/demo.html: one page, no scripts, no network; pictures are in it."""

import base64
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from consumers.store import ObjectStore, open_store
from demo.chart import activity_chart
from demo.outcome import Letter, Made, Row, milliseconds

_TEXTS_SHOWN = 60
_TEXT_CHARACTERS = 240
_THUMBNAIL_BYTES = 1 << 20

_STYLE = """
:root { color-scheme: light; --ink: #1c2733; --soft: #66727f; --line: #e3e8ee; --back: #f7f9fb; --accent: #1f6feb; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 32px 24px 64px; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); }
h1 { font-size: 28px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 12px; } p.lead { color: var(--soft); margin: 0 0 24px; }
table { border-collapse: collapse; width: 100%; background: #fff; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
th, td { text-align: left; padding: 7px 12px; border-top: 1px solid var(--line); vertical-align: top; } th { font-weight: 600; color: var(--soft); border: 0; font-size: 13px; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; }
figure { margin: 0; background: #fff; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
figure img { display: block; width: 100%; height: 120px; object-fit: cover; background: #eef2f6; }
figcaption { padding: 6px 8px; font-size: 12px; color: var(--soft); overflow-wrap: anywhere; } figcaption b { color: var(--ink); font-weight: 600; }
.swatches { display: flex; height: 6px; } .swatches i { flex: 1; }
mark { background: #ffe2d9; border-radius: 3px; padding: 0 2px; } mark.pii { background: #dbe9ff; }
code { font: 13px ui-monospace, monospace; } .lang { font-weight: 600; }
svg { background: #fff; border: 1px solid var(--line); border-radius: 8px; width: 100%; height: auto; }
"""


def write(path: Path, rows: list[Row], made: Made) -> None:
    """Write the page."""
    store = open_store(made.store_url)
    sections = [
        _header(rows),
        _section(f"Images: {len(made.images)} processed", _contact_sheet(made.images, store)),
        _section("Activity: events by minute and kind", activity_chart(made.windows)),
        _section(f"Texts: {len(made.texts)} analyzed, {min(_TEXTS_SHOWN, len(made.texts))} shown", _texts(made)),
        _section(f"Dead letters: {len(made.letters)}, each with its reason", _letters(made.letters)),
    ]
    head = f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Headrace demo</title><style>{_STYLE}</style>"
    path.write_text(head + "".join(sections) + "</html>\n", encoding="utf-8")


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _header(rows: list[Row]) -> str:
    body = [
        [escape(row.agent), f"{row.events:,}", f"{row.results:,}", f"{row.dead_lettered:,}", f"{row.events_per_s:,.0f}", milliseconds(row.p50_ms), milliseconds(row.p99_ms)]
        for row in rows
    ]  # fmt: skip
    columns = ["agent", "events in", "results", "dead-lettered", "events/s", "p50 ms", "p99 ms"]
    lead = "Real input, published to a real Kafka, worked on by the agents of one <code>faust -A streams worker</code>."
    return f"<h1>Headrace demo</h1><p class='lead'>{lead}</p>{_table(columns, body, numeric=range(1, 7))}"


def _table(columns: list[str], rows: Iterable[list[str]], *, numeric: Iterable[int] = ()) -> str:
    """Cells are HTML already where they come as such; `escape` is the caller's duty."""
    right = set(numeric)

    def cells(tag: str, values: list[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if index in right else ''}>{value}</{tag}>" for index, value in enumerate(values)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table><tr>{cells('th', columns)}</tr>{body}</table>"


def _contact_sheet(images: list[dict[str, Any]], store: ObjectStore) -> str:
    return f"<div class='sheet'>{''.join(_figure(image, store) for image in images)}</div>"


def _figure(image: dict[str, Any], store: ObjectStore) -> str:
    smallest = min(image["variants"], key=lambda variant: variant["size_bytes"])
    data = base64.b64encode(store.get(smallest["reference"], max_bytes=_THUMBNAIL_BYTES)).decode()
    swatches = "".join(f"<i style='background:{escape(colour)}'></i>" for colour in image["dominant_colors"])
    facts = f"{escape(image['format'])} {image['width']}×{image['height']}"
    frames = f", {image['frames']} frames" if image["frames"] > 1 else ""
    source = f"data:image/{escape(smallest['format'])};base64,{data}"
    caption = f"<figcaption><b>{escape(image['image_id'])}</b><br>{facts}{frames}</figcaption>"
    return f"<figure><img alt='{escape(image['image_id'])}' src='{source}'><div class='swatches'>{swatches}</div>{caption}</figure>"


def _texts(made: Made) -> str:
    chosen = sorted(
        made.texts, key=lambda text: (-len(text["pii_spans"]) - len(text["profanity_spans"]), text["text_id"])
    )
    spread = _one_of_each_language(chosen)
    rows = [
        [
            f"<span class='lang'>{escape(text['language'])}</span> {text['language_confidence']:.2f}",
            f"<span dir='auto'>{_marked(made.posted.get(text['text_id'], ''), text)}</span>",
            escape(", ".join(text["keywords"][:5])),
            "-" if text["sentiment"] is None else f"{text['sentiment']:+.2f}",
        ]
        for text in spread[:_TEXTS_SHOWN]
    ]
    return _table(["language", "text (masked parts marked)", "keywords", "sentiment"], rows, numeric=[3])


def _one_of_each_language(texts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Round by round, one text of each language, so that all of them are seen."""
    by_language: dict[str, list[dict[str, Any]]] = {}
    for text in texts:
        by_language.setdefault(text["language"], []).append(text)
    most = max(map(len, by_language.values()), default=0)
    return [group[turn] for turn in range(most) for _, group in sorted(by_language.items()) if turn < len(group)]


def _marked(text: str, found: dict[str, Any]) -> str:
    """The text with what was masked shown as its mask, so that the page itself gives nothing away."""
    spans = [(span["start"], span["end"], "", "*" * (span["end"] - span["start"])) for span in found["profanity_spans"]]
    spans += [(span["start"], span["end"], "pii", f"[{span['kind']}]") for span in found["pii_spans"]]
    out, at = [], 0
    for start, end, kind, shown in sorted(spans):
        if start < at or start > _TEXT_CHARACTERS:
            continue
        out.append(f"{escape(text[at:start])}<mark class='{kind}'>{escape(shown)}</mark>")
        at = end
    rest = text[at : max(at, _TEXT_CHARACTERS)]
    return "".join(out) + escape(rest) + ("…" if at + len(rest) < len(text) else "")


def _letters(letters: list[Letter]) -> str:
    rows = [
        [escape(value) for value in (letter.agent, letter.key, letter.error, letter.reason, letter.attempts)]
        for letter in letters
    ]
    return _table(["agent", "key", "error", "reason", "attempts"], rows, numeric=[4])
