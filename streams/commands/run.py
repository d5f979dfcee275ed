"""`headrace run AGENT FILE`: an agent on a file, without a broker."""

import sys
from pathlib import Path
from typing import Any

import click

from streams.commands import output as printing

_KINDS = {"Done": "done", "TryAgain": "retried", "DeadLetter": "dead-lettered"}


@click.command("run")
@click.argument("agent")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--attempt", type=click.IntRange(1), default=1, show_default=True, help="Which attempt this is to be.")
@printing.option
def command(*, agent: str, file: str, attempt: int, output: printing.Format) -> int:
    r"""Run AGENT on FILE (JSON Lines; - for standard input) through its real handler and fate, without a broker.

    \b
    Examples:
      headrace run text texts.jsonl
      echo '{"text_id": "1", "text": "so good"}' | headrace run text - -o jsonl
      headrace run images broken.jsonl --attempt 5
    """
    from consumers.runtime.kit import open_kit
    from consumers.runtime.local import agent_named, run_values
    from schemas.settings import from_environment
    from streams.json_lines import encoded_lines

    kit = open_kit(from_environment())
    found = agent_named(kit, agent)
    source = sys.stdin.buffer if file == "-" else Path(file).open("rb")
    with source:
        values, problems = encoded_lines(source, kit, found.topics[0])
    for problem in problems:
        click.echo(problem, err=True)
    ran = run_values(found, kit, values, attempt=attempt) if values else []
    printing.rows(
        [_row(number, each) for number, each in enumerate(ran)], output, columns=["record", "fate", "reason", "result"]
    )
    return 1 if problems or any(each.failure is not None for each in ran) else 0


def _row(number: int, ran: Any) -> dict[str, Any]:
    reason = f"{ran.failure.error_class}: {ran.failure.message}" if ran.failure else None
    results = [{"record": name, **fields} for name, fields in ran.results]
    return {"record": number, "fate": _KINDS[type(ran.fate).__name__], "reason": reason, "result": results or None}
