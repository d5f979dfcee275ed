"""`headrace schema`: check, freeze and generate from a folder of .avsc files."""

from pathlib import Path

import click

from streams.commands import output as listing

FOLDER = click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.group("schema")
def command() -> None:
    """Check, freeze and generate from the .avsc files of a folder; Headrace's own when none is named.

    \b
    Examples:
      headrace schema check
      headrace schema check shop/schemas
      headrace schema freeze shop/schemas
      headrace schema generate shop/schemas -o shop/records.py
    """


@command.command("check")
@FOLDER
@listing.option
def check(*, folder: Path | None, output: listing.Format) -> int:
    """Hold each schema against all its former versions, in both directions. Exit 1 when something is found.

    \b
    Examples:
      headrace schema check
      headrace schema check shop/schemas -o json
    """
    from schemas import compatibility
    from schemas.schema_set import SchemaSet

    chosen = _folder(folder)
    found = compatibility.check(chosen)
    columns = ("record", "version", "kind", "reason")
    rows = [{name: getattr(finding, name) for name in columns} for finding in found]
    if rows or output != "table":
        listing.rows(rows, output, columns=columns)
    if not found:
        schemas = SchemaSet.load(chosen)
        versions = sum(len(schemas.history(schema)) for schema in schemas)
        click.echo(f"{len(schemas)} schemas fit their {versions} former versions", err=True)
    return 1 if found else 0


@command.command("freeze")
@FOLDER
def freeze(*, folder: Path | None) -> None:
    """Add each changed schema to the history as its next version. An incompatible one is refused.

    \b
    Examples:
      headrace schema freeze
      headrace schema freeze shop/schemas
    """
    from schemas import compatibility

    written = compatibility.freeze(_folder(folder))
    for path in written:
        click.echo(path)
    if not written:
        click.echo("every schema is in its history already", err=True)


@command.command("generate")
@FOLDER
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; FOLDER/records.py by default.",
)
def generate(*, folder: Path | None, output: Path | None) -> None:
    """Write the typed records of the .avsc files into one Python module.

    \b
    Examples:
      headrace schema generate
      headrace schema generate shop/schemas -o shop/records.py
    """
    from schemas.generate import write

    click.echo(write(_folder(folder), output))


def _folder(folder: Path | None) -> Path:
    from schemas.schema_set import BUILT_IN

    return folder or BUILT_IN
