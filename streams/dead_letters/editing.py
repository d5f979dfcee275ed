"""A dead letter's value corrected by hand: as JSON, in the operator's editor, checked against its schema."""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from producers.json_form import to_json
from producers.lines import LineReader
from schemas.codec import Codec
from schemas.errors import ConfigurationError, DecodeError, HeadraceError, InvalidEventError
from schemas.event import Event

_MOST_BYTES = 16 * 1024 * 1024
"""A value of the codec's 1 MiB, every byte of it escaped in JSON, and room for the editor's blanks."""


class EditError(HeadraceError):
    """Raised when the value was not edited: it cannot be decoded, the editor failed, or what it left does not fit."""


def editor_of(environ: Mapping[str, str]) -> list[str]:
    """The operator's editor, as a command: VISUAL, else EDITOR.

    Raises:
        ConfigurationError: if neither is set, or is no command.
    """
    named = environ.get("VISUAL") or environ.get("EDITOR") or ""
    try:
        command = shlex.split(named)
    except ValueError as error:
        raise ConfigurationError([f"the editor {named!r} is no command: {error}; set EDITOR"]) from error
    if not command:
        raise ConfigurationError(["--edit needs an editor: set EDITOR, such as EDITOR=nano"])
    return command


def edited(value: bytes | None, codec: Codec, *, topic: str, editor: list[str], ask: Callable[[str], bool]) -> bytes:
    """What the operator made of a value; the value itself where nothing was changed.

    The schema is the record's current one, so that an older value is brought up to date by an edit.

    Args:
        value: as on the wire.
        codec: decodes it, and encodes it again.
        topic: the broker's name of the topic under whose subject the schema stands.
        editor: its command; the file's name is added.
        ask: told what is wrong with the edited value; True opens the editor on it again.

    Raises:
        EditError: if it cannot be decoded or edited, or does not fit its schema, by the field's name.
        EventTooLargeError: if it has become too large.
    """
    event, reader = _decoded(value, codec)
    before = msgspec.json.format(msgspec.json.encode(_form(event, codec))) + b"\n"
    text = before
    while True:
        text = _in_editor(text, editor)
        try:
            after = reader.event(text)
            return value or b"" if after == event else codec.encode(after, topic=topic)
        except InvalidEventError as error:
            if not ask(str(error)):
                raise EditError(f"the edited value does not fit: {error}; nothing was sent") from error


def _decoded(value: bytes | None, codec: Codec) -> tuple[Event, LineReader]:
    if value is None:
        raise EditError("a tombstone has no value to edit")
    try:
        reader = LineReader(codec.schemas[codec.writer_of(value).name])
        return codec.decode(value, reader.kind), reader
    except DecodeError as error:
        raise EditError(f"the value cannot be decoded, and so not edited: {error.reason}") from error


def _form(event: Event, codec: Codec) -> object:
    schema = codec.schemas[type(event).__schema_name__]
    return to_json(schema.raw)(msgspec.to_builtins(event, builtin_types=(bytes,)), "")


def _in_editor(text: bytes, editor: list[str]) -> bytes:
    """The text as the editor left it; in a folder and a file that nobody else may read, and that are removed."""
    with tempfile.TemporaryDirectory(prefix="headrace-edit-") as folder:
        file = Path(folder) / "value.json"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(text)
        try:
            code = subprocess.run([*editor, str(file)], check=False).returncode
            if code:
                raise EditError(f"{editor[0]} ended with exit code {code}; nothing was sent")
            if file.stat().st_size > _MOST_BYTES:
                raise EditError(f"the edited value has more than {_MOST_BYTES:,} bytes; nothing was sent")
            return file.read_bytes()
        except OSError as error:
            raise EditError(f"the editor {editor[0]!r} cannot be used: {error}; set EDITOR") from error
