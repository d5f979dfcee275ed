"""What came of the input: the table, the results themselves, and whether they are as they should be."""

import sys
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from consumers import analytics
from demo.inputs import Published
from schemas import names as wire
from schemas.catalogue import load_catalogue
from schemas.codec import Codec
from schemas.settings import Settings
from streams.overall import AgentState, whole_topic


@dataclass(frozen=True, slots=True)
class Row:
    """One agent in the table."""

    agent: str
    events: int
    results: int
    dead_lettered: int
    events_per_s: float
    p50_ms: float | None
    p99_ms: float | None

    @classmethod
    def of(cls, state: AgentState) -> "Row":
        """The row of an agent's state when it had nothing left to do."""
        per_s = state.overall_rate
        return cls(state.agent, state.end, state.results, state.dead_letters, per_s, state.p50_ms, state.p99_ms)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, as the page shows it."""

    agent: str
    key: str
    error: str
    reason: str
    attempts: str


@dataclass(frozen=True, slots=True)
class Made:
    """Everything that the page shows."""

    images: list[dict[str, Any]]
    texts: list[dict[str, Any]]
    posted: dict[str, str]
    windows: list[dict[str, Any]]
    letters: list[Letter]
    store_url: str


def read(settings: Settings) -> Made:
    """Read the result topics, the dead letters and the analytics' database."""
    codec = _codec(settings)
    images, analyzed, posted = (
        [codec.decode_any(message.value())[1] for message in whole_topic(settings, topic)]
        for topic in ("images.processed", "texts.analyzed", "texts.posted")
    )
    letters = [
        _letter(agent, message)
        for agent in ("images", "text", "analytics")
        for message in whole_topic(settings, settings.names.dead_letter(agent))
    ]
    return Made(
        images=sorted(images, key=lambda image: str(image["image_id"])),
        texts=sorted(analyzed, key=lambda text: str(text["text_id"])),
        posted={text["text_id"]: text["text"] or "" for text in posted},
        windows=analytics.read(settings.database_url, group=settings.names.group("analytics")),
        letters=letters,
        store_url=settings.store_url,
    )


def faults(rows: list[Row], published: Published, made: Made) -> list[str]:
    """What is not as it should be, one sentence each."""
    by_agent = {row.agent: row for row in rows}
    counted = sum(window["count"] for window in made.windows)
    good_images = published.events["images"] - published.broken_images
    checks = {
        f"{by_agent['images'].dead_lettered} dead-lettered images instead of {published.broken_images}": by_agent[
            "images"
        ].dead_lettered
        != published.broken_images,
        f"{len(made.images)} processed images instead of {good_images}": len(made.images) != good_images,
        f"{len(made.texts)} analyzed texts instead of {published.events['text']}": len(made.texts)
        != published.events["text"],
        "no activity was rolled up": not by_agent["analytics"].results,
        f"{counted} counted activities instead of {published.events['analytics']}": counted
        != published.events["analytics"],
    }
    return [fault for fault, wrong in checks.items() if wrong]


def print_table(rows: list[Row]) -> None:
    """The table, on stdout."""
    table = Table(box=None, pad_edge=False)
    table.add_column("agent")
    for column in ("events in", "results", "dead-lettered", "events/s", "p50 ms", "p99 ms"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            row.agent,
            f"{row.events:,}",
            f"{row.results:,}",
            f"{row.dead_lettered:,}",
            f"{row.events_per_s:,.0f}",
            milliseconds(row.p50_ms),
            milliseconds(row.p99_ms),
        )
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 100).print(table)


def milliseconds(value: float | None) -> str:
    """Three figures, or a dash for none."""
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _letter(agent: str, message: Any) -> Letter:
    story = {name: (value or b"").decode("utf-8", "replace") for name, value in message.headers() or ()}
    key = (message.key() or b"").decode("utf-8", "replace")
    return Letter(
        agent, key, story.get(wire.ERROR_CLASS, ""), story.get(wire.ERROR_MESSAGE, ""), story.get(wire.ATTEMPTS, "")
    )


def _codec(settings: Settings) -> Codec:
    registry = None
    if settings.registry_url:
        from schemas.registry import Registry

        registry = Registry(settings.registry_url)
    return Codec(load_catalogue(settings.catalogue).schemas, registry=registry, names=settings.names)
