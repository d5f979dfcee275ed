"""Our commands as Faust's: `faust -A streams status`. Synchronous, so that they need no event loop (0.5 s, not 1.5)."""

from typing import Any

import click
from faust.cli.base import AppCommand, cli, option


class status(AppCommand):  # noqa: N801  the class's name is the command's
    """Show every agent: workers, lag, rate, handling time, dead letters."""

    options = [  # noqa: RUF012
        option("--watch", is_flag=True, help="Show it again every two seconds, until Ctrl-C."),
        option("--active", is_flag=True, help="Show what runs now, and for how long."),
        option("--partitions", is_flag=True, help="Show each partition with its lag and owner."),
        option("--output", "-o", default="table", help="table, json or jsonl."),
    ]

    def __call__(self, *_args: Any, **_kwargs: Any) -> None:  # type: ignore[override]
        """Run `headrace status` with the same options."""
        from streams.cli import run
        from streams.commands.status import command

        given = dict(self.kwargs)
        flags = [f"--{name}" for name in ("watch", "active", "partitions") if given.get(name)]
        raise SystemExit(run(command, [*flags, "--output", given.get("output") or "table"]))


@cli.command(
    "replay",
    short_help="Work on a range of a topic again.",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def replay(arguments: tuple[str, ...]) -> None:
    """Run `headrace replay` with the same arguments."""
    from streams.cli import root, run

    raise SystemExit(run(root, ["replay", *arguments]))
