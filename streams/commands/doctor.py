"""`headrace doctor`: what a worker needs, with a remedy for each fault."""

import click

from streams.commands import output as printing


@click.command("doctor")
@printing.option
def command(*, output: printing.Format) -> int:
    """Check broker, registry, topics, schemas, store, database and disk; exit 1 when one is not as it should be.

    \b
    Examples:
      headrace doctor
      KAFKA_BOOTSTRAP_SERVERS=kafka:9092 headrace doctor -o json
    """
    from schemas.settings import from_environment
    from streams.checks import as_rows, findings

    rows = list(as_rows(findings(from_environment())))
    printing.rows(rows, output, columns=["check", "ok", "seen", "remedy"])
    return int(any(row["ok"] == "NO" for row in rows))
