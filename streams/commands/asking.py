"""Asking before something is changed."""

import sys

import click

from schemas.errors import ConfigurationError

yes_option = click.option("--yes", is_flag=True, help="Don't ask; for scripts.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Show the plan and do nothing.")


def check_may_ask(*, yes: bool) -> None:
    """See that there is somebody to ask, or no need to.

    Raises:
        ConfigurationError: off a terminal without --yes.
    """
    if not yes and not sys.stdin.isatty():
        raise ConfigurationError(
            ["nothing was done: this is no terminal to ask at; add --yes, or --dry-run to see the plan"]
        )


def ask(question: str, *, yes: bool) -> None:
    """Ask on stderr; return when the answer is yes.

    Raises:
        click.Abort: when it is no.
        ConfigurationError: off a terminal without --yes.
    """
    check_may_ask(yes=yes)
    if not yes:
        click.confirm(question, abort=True, err=True)
