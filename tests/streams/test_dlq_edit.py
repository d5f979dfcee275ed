"""`headrace dlq redrive --edit`: a value corrected by hand, or nothing sent."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import Codec
from schemas.records import TextPosted
from schemas.schema_set import SchemaSet
from schemas.settings import Settings
from tests.support.cli import headrace
from tests.support.letters import Dead, Morgue

RETRY = "text.retry.0s"


@pytest.fixture
def morgue(settings: Settings, make_topic: Callable[..., str]) -> Morgue:
    return Morgue(settings, make_topic)


def editor(tmp_path: Path, *, replace: str = "", by: str = "", code: int = 0) -> str:
    """An editor that replaces a text, and writes down what it was given."""
    script = tmp_path / "editor.py"
    script.write_text(
        "import json, os, pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "seen = {'text': file.read_text(), 'mode': file.stat().st_mode & 0o777, 'path': str(file)}\n"
        f"pathlib.Path({str(tmp_path / 'seen.json')!r}).write_text(json.dumps(seen))\n"
        f"file.write_text(seen['text'].replace({replace!r}, {by!r}) if {replace!r} else seen['text'] + '\\n')\n"
        f"sys.exit({code})\n"
    )
    return f"{sys.executable} {script}"


def texts(*, text_id: str = "a") -> bytes:
    return Codec(SchemaSet.load()).encode(TextPosted(text_id=text_id, text="hi", occurred_at=1), topic="t")


def edit(morgue: Morgue, tmp_path: Path, **changes: Any) -> subprocess.CompletedProcess[str]:
    return redrive(morgue, "text/texts.posted/0/1", EDITOR=editor(tmp_path, **changes))


def redrive(morgue: Morgue, letter: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return headrace(morgue.settings, "dlq", "redrive", letter, "--edit", "--yes", VISUAL="", **environ)


def test_a_value_is_edited_as_json_checked_and_encoded_again(morgue: Morgue, tmp_path: Path) -> None:
    morgue.write(Dead(1, value=texts()))
    done = edit(morgue, tmp_path, replace='"a"', by='"b"')
    assert done.returncode == 0, done.stderr
    assert "the value is edited" in done.stderr
    (record,) = morgue.read(RETRY)
    event = Codec(SchemaSet.load()).decode(record.value() or b"", TextPosted)
    assert (event.text_id, event.text, event.occurred_at) == ("b", "hi", 1)
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert json.loads(seen["text"])["occurred_at"] == "1970-01-01T00:00:00.000001Z"
    assert seen["mode"] == 0o600
    assert not os.path.exists(seen["path"])  # noqa: PTH110


def test_an_unchanged_value_is_sent_as_it_is(morgue: Morgue, tmp_path: Path) -> None:
    value = texts()
    morgue.write(Dead(1, value=value))
    done = edit(morgue, tmp_path)
    assert "the value is as it was" in done.stderr
    assert [record.value() for record in morgue.read(RETRY)] == [value]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"replace": '"a"', "by": "17"}, "TextPosted.text_id: Expected `str`, got `int`"),
        ({"replace": "text_id", "by": "text_idd"}, "text_idd: the schema has no such field"),
        ({"replace": "{", "by": ""}, "no JSON"),
        ({"code": 3}, "ended with exit code 3"),
    ],
)
def test_an_edit_that_does_not_fit_is_told_by_its_field_and_nothing_is_sent(
    morgue: Morgue, tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    morgue.write(Dead(1, value=texts()))
    done = edit(morgue, tmp_path, **changes)
    assert done.returncode == 1
    assert told in done.stderr
    assert (morgue.read(RETRY), morgue.states()) == ([], {})


def test_what_cannot_be_decoded_or_has_no_editor_is_not_edited(morgue: Morgue, tmp_path: Path) -> None:
    morgue.write(Dead(1, value=b"rubbish"), Dead(2, value=texts()))
    assert "cannot be decoded" in edit(morgue, tmp_path).stderr
    done = redrive(morgue, "text/texts.posted/0/2", EDITOR="")
    assert (done.returncode, "set EDITOR" in done.stderr) == (2, True)
    assert morgue.read(RETRY) == []
