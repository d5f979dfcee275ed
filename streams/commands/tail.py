"""`headrace tail`: what stands in a topic, and what comes."""

import shutil
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import click
import msgspec
from confluent_kafka import Message

from producers.kafka import check_broker
from schemas.catalogue import load_catalogue
from schemas.codec import Codec
from schemas.errors import ConfigurationError
from schemas.settings import Settings, from_environment
from streams import shown
from streams.commands import output as listing
from streams.positions import END, Position, parse, parse_range
from streams.topic_reader import TopicReader

_LINES = 10


@click.command("tail")
@click.argument("topic")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option(
    "--from", "start", metavar="POSITION", help="Where to begin: start, end, 47, +2, -3, @-1h, @TIME, or a range a:b."
)
@click.option("--to", "end", metavar="POSITION", help="Where to end; by default where the topic ends now.")
@click.option(
    "-n", "count", type=click.IntRange(min=1), help="The last N records; with --from, the first N from there."
)
@click.option(
    "--catalogue", metavar="MODULE", help="Your own topics and schemas, such as shop.agents (HEADRACE_CATALOGUE)."
)
@listing.option
def command(
    topic: str,
    *,
    follow: bool,
    start: str | None,
    end: str | None,
    count: int | None,
    catalogue: str | None,
    output: listing.Format,
) -> None:
    """Print the records of TOPIC, decoded: the last 10, or those from --from to --to.

    Positions are `start`, `end`, an offset, `@` and a time, or a range of two; each counts in every partition. A record
    that cannot be decoded is shown with the reason and its first bytes. No consumer group is joined.

    \b
    Examples:
      headrace tail texts.analyzed -n 5
      headrace tail activity.recorded -f -o jsonl
      headrace tail images.processed --from @-1h
      headrace tail images.dlq --from @2026-11-22T10:00:00Z:end -o json
    """
    begin, finish = _bounds(start, end, follow=follow)
    if follow and output == "json":
        raise ConfigurationError(["-o json is one document, which -f never ends: use -o jsonl"])
    settings = from_environment()
    settings = msgspec.structs.replace(settings, catalogue=catalogue or settings.catalogue)
    shower = shown.Shower(_codec(settings))
    check_broker(settings)
    reader = TopicReader(settings, settings.names.topic(topic))
    try:
        _print((shower.show(message) for message in _messages(reader, begin, finish, count, follow=follow)), output)
    except KeyboardInterrupt:
        click.echo("", err=True)
    finally:
        reader.close()


def _bounds(start: str | None, end: str | None, *, follow: bool) -> tuple[Position | None, Position | None]:
    """The two positions; --from may hold both, as a range."""
    now_ms = time.time_ns() // 1_000_000
    begin, finish = parse_range(start, now_ms=now_ms) if start is not None else (None, None)
    if start is not None and begin is None:
        begin = parse("start", now_ms=now_ms)
    problems = []
    if finish is not None and end is not None:
        problems.append(f"--from {start} names an end already: leave out --to {end}")
    if follow and (finish is not None or end is not None):
        problems.append("-f has no end: leave out --to")
    if problems:
        raise ConfigurationError(problems)
    if end is not None:
        finish, begin = parse(end, now_ms=now_ms), begin or parse("start", now_ms=now_ms)
    return begin, finish


def _messages(
    reader: TopicReader, begin: Position | None, finish: Position | None, count: int | None, *, follow: bool
) -> Iterator[Message]:
    now_ends = reader.offsets(END)
    if begin is not None:
        ends = None if follow else reader.offsets(finish or END)
        yield from islice(reader.read(reader.offsets(begin), ends), count)
        return
    wanted = count or _LINES
    last = sorted(reader.read(reader.last(wanted), now_ends), key=_when)
    yield from last[-wanted:]
    if follow:
        yield from reader.read(now_ends, None)


def _when(message: Message) -> tuple[int, int, int]:
    return message.timestamp()[1], message.partition() or 0, message.offset() or 0


def _codec(settings: Settings) -> Codec:
    schemas = load_catalogue(settings.catalogue).schemas
    if settings.registry_url is None:
        return Codec(schemas, names=settings.names)
    from schemas.registry import Registry

    return Codec(schemas, registry=Registry(settings.registry_url), names=settings.names)


def _print(records: Iterator[dict[str, Any]], output: listing.Format) -> None:
    if output != "table":
        listing.rows(records, output, columns=shown.COLUMNS)
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None  # off a terminal nothing is cut
    click.echo(shown.header_line())
    for record in records:
        click.echo(shown.line(record, width=width))
