"""`headrace dlq`: dead letters, found, read, sent again, exported, put aside."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click
import msgspec

from streams.commands import output as listing
from streams.commands.dlq_changes import discard, redrive
from streams.commands.dlq_options import catalogue_option, query_option

_HEX_BYTES = 4096
_CELL = 60
_VALUE = 20_000
"""Characters of a value that a terminal is given; there may be a million."""


@click.group("dlq")
def command() -> None:
    """Find dead letters, read them, send them to their agents again, export or discard them.

    A letter is named by its agent and the record it came from: agent/topic/partition/offset. A QUERY has terms such as
    agent:images error:Truncated key:42 topic:images.uploaded since:@-1h until:@-5m state:open, all of which must hold.

    \b
    Examples:
      headrace dlq ls
      headrace dlq show images/images.uploaded/0/17
      headrace dlq redrive -q 'agent:images error:Truncated'
      headrace dlq discard images/images.uploaded/0/17
    """


command.add_command(redrive)
command.add_command(discard)


@command.command("ls", short_help="List dead letters by agent and error.")
@query_option
@click.option("--each", is_flag=True, help="List single letters with their ids, not groups.")
@catalogue_option
@listing.option
def ls(*, query: str | None, each: bool, catalogue: str | None, output: listing.Format) -> None:
    """List dead letters by agent and error: how many are open, redriven and discarded, when they were seen, an example.

    Open ones, unless the query names another state: state:redriven, state:discarded, state:all.

    \b
    Examples:
      headrace dlq ls
      headrace dlq ls -q 'agent:images error:"cut off" since:@-1h'
      headrace dlq ls --each -q 'state:all key:42' -o jsonl
    """
    from streams.dead_letters import forms
    from streams.dead_letters.desk import open_desk
    from streams.dead_letters.selection import select

    selection = select((), query, now_ms=_now_ms())
    with open_desk(selection, catalogue) as desk:
        filed = desk.filed
    if each:
        rows, columns = [forms.single(found) for found in selection.wanted(filed)], forms.LETTER_COLUMNS
    else:
        rows, columns = forms.groups(filed, selection.query), forms.GROUP_COLUMNS
    if output == "table":
        rows = [{name: _cell(name, value) for name, value in row.items()} for row in rows]
    if rows or output != "table":
        listing.rows(rows, output, columns=columns, unbroken=("id", "first_seen", "last_seen"))
    if not rows:
        others = "" if selection.query.state == "all" else "; -q state:all shows the redriven and discarded ones too"
        click.echo(f"no dead letters{others}", err=True)


@command.command("show", short_help="Show one dead letter whole.")
@click.argument("letter", metavar="ID")
@catalogue_option
@listing.option
def show(letter: str, *, catalogue: str | None, output: listing.Format) -> None:
    """Show one dead letter whole: its story with the traceback, its headers, key and value.

    A value that cannot be decoded is shown in hex, with the reason.

    \b
    Examples:
      headrace dlq show images/images.uploaded/0/17
      headrace dlq show text/texts.posted/3/5 -o json
    """
    from streams.dead_letters import forms
    from streams.dead_letters.desk import open_desk
    from streams.dead_letters.selection import select
    from streams.shown import Shower

    with open_desk(select((letter,), now_ms=_now_ms()), catalogue) as desk:
        shower = Shower(desk.codec, hex_bytes=_HEX_BYTES)
        (filed,) = desk.filed
        shown = [forms.whole(filed, message, shower) for _, message in desk.boxes.fetch([filed.letter])]
    if output == "table":
        for whole in shown:
            _print(whole)
    else:
        listing.rows(shown, output, columns=())


@command.command("export", short_help="Write dead letters as JSON Lines.")
@query_option
@click.argument("file", metavar="[FILE|-]", type=click.Path(dir_okay=False, allow_dash=True), default="-")
@catalogue_option
def export(file: str, *, query: str | None, catalogue: str | None) -> None:
    """Write dead letters as JSON Lines to a new FILE, or to stdout: decoded, and byte for byte in base64.

    Each line has all that it takes to send the record again elsewhere. Exporting changes nothing here.

    \b
    Examples:
      headrace dlq export letters.jsonl
      headrace dlq export -q 'agent:text since:@-1d' - | jq .message
    """
    from streams.dead_letters import forms
    from streams.dead_letters.desk import open_desk
    from streams.dead_letters.selection import select
    from streams.shown import Shower

    selection, written = select((), query, now_ms=_now_ms()), 0
    with open_desk(selection, catalogue) as desk:
        shower = Shower(desk.codec)
        filed = {each.letter.id: each for each in selection.wanted(desk.filed)}
        with _target(file) as target:
            for letter, message in desk.boxes.fetch(each.letter for each in filed.values()):
                target.write(listing.json_line(forms.exported(filed[letter.id], message, shower)))
                written += 1
    click.echo(f"exported {written:,} dead letter{'' if written == 1 else 's'}", err=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def _target(file: str) -> Iterator[IO[bytes]]:
    """Stdout, or a new file that only its owner may read: the values may be anybody's personal data."""
    if file == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        opened = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError as error:
        raise click.UsageError(f"{file} exists already, and is left as it is: name a new file") from error
    except OSError as error:
        raise click.UsageError(f"{file} cannot be written: {error.strerror}") from error
    with opened:
        yield opened


def _cell(name: str, value: Any) -> Any:
    """What a table shows: times to the second, the beginning of a long text; JSON has all of it."""
    if not isinstance(value, str):
        return value
    if name.endswith("_seen"):
        return f"{value[:19]}Z"
    return f"{value[: _CELL - 1]}…" if len(value) > _CELL and name != "id" else value


_LINES = ("id", "state", "state_since", "error", "message", "attempts", "redrives", "first_seen", "last_seen", "key")


def _print(whole: dict[str, Any]) -> None:
    """A letter for people; nothing of it reaches the terminal but printable characters."""
    origin = " ".join(f"{name}={value}" for name, value in whole["origin"].items() if value is not None)
    lines = [f"{name.replace('_', ' '):12}{_shown(whole[name])}" for name in _LINES if whole[name] is not None]
    lines.append(f"{'origin':12}{_shown(origin or 'its headers name none')}")
    lines += [f"{'header':12}{_shown(f'{name}={value}')}" for name, value in whole["headers"]]
    lines.append(f"{'record':12}{_shown(whole['record'] or '-')}")
    if "undecoded" in whole:
        lines += ["", f"the value of {whole['size_bytes']:,} bytes cannot be decoded: {_shown(whole['undecoded'])}"]
        lines.append(f"hex {whole['hex']}{'…' if len(whole['hex']) < 2 * whole['size_bytes'] else ''}")
    else:
        value = msgspec.json.format(msgspec.json.encode(whole["value"])).decode()
        lines += ["", *map(listing.escaped, value[:_VALUE].split("\n"))]
        lines += [f"… {len(value) - _VALUE:,} characters more; -o json has all of it"] if len(value) > _VALUE else []
    if whole["traceback"]:
        lines += ["", *map(listing.escaped, whole["traceback"].rstrip("\n").split("\n"))]
    click.echo("\n".join(lines))


def _shown(value: object) -> str:
    return listing.escaped(str(value))
