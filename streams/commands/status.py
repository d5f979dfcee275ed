"""`headrace status`: agents, lag, rates, workers, dead letters; also `faust -A streams status`."""

import sys
import time
from typing import Any

import click

from streams.commands import output as printing

_WATCH_S = 2.0
_AGENT_COLUMNS = ["agent", "workers", "lag", "rate", "handled", "results", "retried", "waited", "p50_ms", "p99_ms", "dead_letters", "failures", "stopped", "careful", "waits_for"]  # fmt: skip
_PARTITION_COLUMNS = ["agent", "topic", "partition", "committed", "end", "lag", "owner", "stopped"]
_ACTIVE_COLUMNS = ["agent", "worker", "topic", "partition", "offset", "for_s"]


@click.command("status")
@click.option("--watch", is_flag=True, help="Show it again every two seconds, until Ctrl-C.")
@click.option("--active", is_flag=True, help="Show what runs now, and for how long.")
@click.option("--partitions", is_flag=True, help="Show each partition with its lag and owner.")
@click.option("--catalogue", default=None, help="A module of your own agents (HEADRACE_CATALOGUE).")
@printing.option
def command(*, watch: bool, active: bool, partitions: bool, catalogue: str | None, output: printing.Format) -> int:
    """Show every agent: workers, lag, rate, handling time, dead letters.

    \b
    Examples:
      headrace status
      headrace status --watch
      headrace status --active
      headrace status --partitions -o json
    """
    import msgspec

    from producers.kafka import check_broker
    from schemas.catalogue import load_catalogue
    from schemas.settings import from_environment

    settings = from_environment()
    settings = msgspec.structs.replace(settings, catalogue=catalogue or settings.catalogue)
    agents = load_catalogue(settings.catalogue).agents
    check_broker(settings)
    while True:
        rows, columns = _view(settings, agents, active=active, partitions=partitions)
        if watch and sys.stdout.isatty():
            click.clear()
        printing.rows(rows, output, columns=columns)
        if not rows and output == "table":
            click.echo(
                "nothing runs now" if active else "no agent has a topic here; headrace init creates them", err=True
            )
        if not watch:
            return 0
        try:
            time.sleep(_WATCH_S)
        except KeyboardInterrupt:
            return 0


def _view(settings: Any, agents: Any, *, active: bool, partitions: bool) -> tuple[list[dict[str, Any]], list[str]]:
    import msgspec

    from streams.overall import collect

    states, workers = collect(settings, agents)
    if active:
        running = [
            {"agent": report.name, "worker": worker.worker, **msgspec.to_builtins(record)}
            for worker in workers
            for report in worker.agents
            for record in report.running
        ]
        return sorted(running, key=lambda row: -row["for_s"]), _ACTIVE_COLUMNS
    if partitions:
        rows = [{"agent": state.agent, **msgspec.to_builtins(part)} for state in states for part in state.partitions]
        return rows, _PARTITION_COLUMNS
    plain = [msgspec.to_builtins(state) for state in states]
    for row in plain:
        row["waits_for"] = ", ".join(f"{name} {for_s:.0f} s" for name, for_s in row["circuits"].items()) or None
        row["stopped"] = sum(part["stopped"] is not None for part in row["partitions"])
    return plain, _AGENT_COLUMNS
