"""`headrace init`: the topics and schemas that a catalogue needs."""

import sys

import click
import msgspec

from streams.commands import output as listing


@click.command("init")
@click.option(
    "--catalogue", metavar="MODULE", help="Catalogue of your own, beside the built-in one (HEADRACE_CATALOGUE)."
)
@click.option("--dry-run", is_flag=True, help="Show the plan and create nothing.")
@click.option("--yes", is_flag=True, help="For scripts: init only adds what is missing, so it does not ask anyway.")
@listing.option
def command(*, catalogue: str | None, dry_run: bool, yes: bool, output: listing.Format) -> None:  # noqa: ARG001
    """Create the topics and register the schemas. What exists is left as it is; where it differs, init says how.

    \b
    Examples:
      headrace init --dry-run
      headrace init
      headrace init --catalogue shop.agents -o jsonl
    """
    from schemas import provision
    from schemas.catalogue import load_catalogue
    from schemas.settings import from_environment

    settings = from_environment()
    if catalogue:
        settings = msgspec.structs.replace(settings, catalogue=catalogue)
    loaded = load_catalogue(settings.catalogue)
    steps = provision.plan(settings, loaded, agents=loaded.agents)
    rows = [{"kind": step.kind, "name": step.name, "action": step.action, "detail": step.detail} for step in steps]
    listing.rows(rows, output, columns=("kind", "name", "action", "detail"))
    sys.stdout.flush()
    added = sum(step.adds for step in steps)
    differing = sum(step.action == "differs" for step in steps)
    if not dry_run:
        provision.apply(settings, steps)
    said = f"{added} {'to add' if dry_run else 'added'}, {len(steps) - added - differing} as they should be"
    click.echo(f"{said}, {differing} different and left as they are" if differing else said, err=True)
