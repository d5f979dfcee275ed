"""`headrace publish`: JSON Lines to a topic."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

import click
import msgspec

from producers.errors import UndeliveredError, UnknownTopicError
from producers.kafka import check_broker
from producers.lines import LineReader
from producers.publisher import Publisher
from producers.receipt import Receipt
from schemas.catalogue import Catalogue, load_catalogue
from schemas.errors import ConfigurationError
from schemas.settings import from_environment
from schemas.topics import Topic
from streams.publishing import Feed, Tally

_LONG_BYTES = 1 << 20
"""A smaller file is published before a bar would be seen."""
_BAR_STEP_BYTES = 64 * 1024


@click.command("publish")
@click.argument("topic")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), default="-")
@click.option(
    "-k", "--key", "key_field", metavar="FIELD", help="Key the records by this field, not by the topic's own."
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="At most N events a second.")
@click.option("--strict", is_flag=True, help="Send nothing unless every line is valid.")
@click.option(
    "--catalogue", metavar="MODULE", help="Your own topics and schemas, such as shop.agents (HEADRACE_CATALOGUE)."
)
@click.option(
    "-o", "--output", type=click.Choice(["summary", "jsonl"]), default="summary", show_default=True,
    help="jsonl: one receipt a line on stdout, in the order of the input.",
)  # fmt: skip
def command(
    topic: str,
    file: str,
    *,
    key_field: str | None,
    rate: float | None,
    strict: bool,
    catalogue: str | None,
    output: Literal["summary", "jsonl"],
) -> int:
    """Publish JSON Lines from FILE, or from stdin, to TOPIC.

    Each line is one event, checked against the topic's schema. event_id and occurred_at may be left out; times are
    numbers or ISO-8601, bytes are base64. A bad line is told by its number and does not stop the rest (exit code 1).

    \b
    Examples:
      headrace publish texts.posted texts.jsonl
      echo '{"text_id": "a", "text": "hi"}' | headrace publish texts.posted
      headrace publish activity.recorded clicks.jsonl -k user_id --rate 500
      headrace publish texts.posted texts.jsonl --strict -o jsonl > receipts.jsonl
    """
    settings = from_environment()
    settings = msgspec.structs.replace(settings, catalogue=catalogue or settings.catalogue)
    chosen = load_catalogue(settings.catalogue)
    entry = _topic(chosen, topic)
    reader = LineReader(chosen.schemas[entry.record])
    _check_key(key_field, reader, entry)
    check_broker(settings)
    publisher = Publisher(settings, chosen)
    publisher.check_topic(topic)
    feed = Feed(publisher, reader, topic, key_field, _complain, _print if output == "jsonl" else _no_receipt)
    try:
        with _source(file) as lines:
            (feed.run_strictly if strict else feed.run)(lines, rate=rate)
    finally:  # what was sent before an interruption has its receipt too
        feed.finish()
        _close(publisher)
    return _summary(feed.tally, topic, strict=strict)


def _topic(catalogue: Catalogue, name: str) -> Topic:
    if name not in catalogue.topics:
        known = ", ".join(sorted(catalogue.topics))
        raise UnknownTopicError(f"the catalogue has no topic {name}; it has {known}", topic=name)
    return catalogue.topics[name]


def _check_key(field: str | None, reader: LineReader, topic: Topic) -> None:
    fields = reader.kind.__struct_fields__
    if field is not None and field not in fields:
        raise ConfigurationError([f"-k {field}: {topic.record} has no such field; it has {', '.join(fields)}"])


@contextmanager
def _source(file: str) -> Iterator[Iterable[bytes]]:
    """The input's lines; behind a progress bar where a person may have to wait."""
    with ExitStack() as stack:
        source = sys.stdin.buffer if file == "-" else stack.enter_context(Path(file).open("rb"))
        size_bytes = None if file == "-" else Path(file).stat().st_size
        is_long = size_bytes is None or size_bytes > _LONG_BYTES
        if is_long and sys.stderr.isatty() and not source.isatty():
            yield stack.enter_context(_bar(source, size_bytes))
        else:
            yield source


@contextmanager
def _bar(lines: Iterable[bytes], size_bytes: int | None) -> Iterator[Iterable[bytes]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = ("publishing", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=size_bytes)
        yield _told(lines, lambda read_bytes: progress.advance(task, read_bytes))


def _told(lines: Iterable[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    unsaid_bytes = 0
    for line in lines:
        yield line
        unsaid_bytes += len(line)
        if unsaid_bytes > _BAR_STEP_BYTES:
            advance(unsaid_bytes)
            unsaid_bytes = 0


def _complain(number: int, reason: str) -> None:
    click.echo(f"line {number}: {reason}", err=True)


def _print(number: int, receipt: Receipt) -> None:
    place, key = receipt.result(), receipt.key
    line = {
        "line": number,
        "topic": place.topic,
        "partition": place.partition,
        "offset": place.offset,
        "key": None if key is None else key.decode(errors="backslashreplace"),
        "event_id": receipt.event_id,
    }
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def _no_receipt(_number: int, _receipt: Receipt) -> None:
    """The summary counts them."""


def _close(publisher: Publisher) -> None:
    with suppress(UndeliveredError):  # each has been told by its line
        publisher.close()


def _summary(tally: Tally, topic: str, *, strict: bool) -> int:
    if strict and tally.invalid:
        click.echo(f"nothing was sent: {_count(tally.invalid, 'line is', 'lines are')} not valid", err=True)
        return 1
    bad = f"; {_count(tally.failed, 'line', 'lines')} not" if tally.failed else ""
    click.echo(f"published {_count(tally.delivered, 'event', 'events')} to {topic}{bad}", err=True)
    return 1 if tally.failed else 0


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
