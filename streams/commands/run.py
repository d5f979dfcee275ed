"""`headrace run AGENT FILE`: an agent on a file, without a broker."""

from collections.abc import Iterable
from typing import Any

import click
import msgspec

from streams.commands import output as printing

_KINDS = {"Done": "done", "TryAgain": "retried", "DeadLetter": "dead-lettered"}


@click.command("run")
@click.argument("agent")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--attempt", type=click.IntRange(1), default=1, show_default=True, help="Which attempt this is to be.")
@click.option("--catalogue", default=None, help="A module of your own agents (HEADRACE_CATALOGUE).")
@printing.option
def command(*, agent: str, file: str, attempt: int, catalogue: str | None, output: printing.Format) -> int:
    """Run AGENT on FILE (JSON Lines; - for standard input) through its real handler and fate, without a broker.

    \b
    Examples:
      headrace run text texts.jsonl
      echo '{"text_id": "1", "text": "so good"}' | headrace run text - -o jsonl
      headrace run images broken.jsonl --attempt 5
    """
    from consumers.runtime.kit import open_kit
    from consumers.runtime.local import agent_named, run_values
    from schemas.settings import from_environment

    settings = from_environment()
    kit = open_kit(msgspec.structs.replace(settings, catalogue=catalogue or settings.catalogue, registry_url=None))
    found = agent_named(kit, agent)
    with click.open_file(file, "rb") as source:
        values, problems = _encoded(source, kit, found.topics[0])
    for problem in problems:
        click.echo(problem, err=True)
    ran = run_values(found, kit, values, attempt=attempt) if values else []
    rows = [_row(number, each) for number, each in enumerate(ran)]
    printing.rows(rows, output, columns=["record", "fate", "reason", "result"])
    return 1 if problems or any(each.failure is not None for each in ran) else 0


def _encoded(lines: Iterable[bytes], kit: Any, topic: str) -> tuple[list[tuple[bytes | None, bytes]], list[str]]:
    """The lines as (key, value), and what is wrong with those that are none, each with its number."""
    from producers.lines import LineReader
    from schemas.errors import InvalidEventError

    entry = kit.catalogue.topics[topic]
    reader = LineReader(kit.catalogue.schemas[entry.record])
    values: list[tuple[bytes | None, bytes]] = []
    problems = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = reader.event(line)
            key = str(getattr(event, entry.key_field)).encode() if entry.key_field else None
            values.append((key, kit.codec.encode(event, topic=topic)))
        except InvalidEventError as error:
            problems.append(f"line {number}: {error}")
    return values, problems


def _row(number: int, ran: Any) -> dict[str, Any]:
    reason = f"{ran.failure.error_class}: {ran.failure.message}" if ran.failure else None
    results = [{"record": name, **fields} for name, fields in ran.results]
    return {"record": number, "fate": _KINDS[type(ran.fate).__name__], "reason": reason, "result": results or None}
