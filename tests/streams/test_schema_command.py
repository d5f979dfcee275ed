import json
from pathlib import Path

import pytest

from streams.cli import root, run
from tests.support import avro

NUMBER = {"name": "n", "type": "int"}


def test_our_own_schemas_pass_the_check(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(root, ["schema", "check"]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert "6 schemas fit their" in err


def test_each_finding_is_printed_and_the_check_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    avro.write_schema(tmp_path, "thing", avro.event_schema())
    assert run(root, ["schema", "freeze", str(tmp_path)]) == 0
    avro.write_schema(tmp_path, "thing", avro.event_schema(NUMBER))
    capfd.readouterr()
    assert run(root, ["schema", "check", str(tmp_path), "-o", "json"]) == 1
    found = json.loads(capfd.readouterr().out)
    assert [(finding["record"], finding["kind"]) for finding in found] == [
        ("test.Thing", "backward"),
        ("test.Thing", "not frozen"),
    ]
    assert "headrace schema freeze" in found[1]["reason"]
    assert run(root, ["schema", "check", str(tmp_path)]) == 1
    assert "backward" in capfd.readouterr().out


def test_freezing_an_incompatible_schema_fails_and_says_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    avro.write_schema(tmp_path, "thing", avro.event_schema())
    run(root, ["schema", "freeze", str(tmp_path)])
    avro.write_schema(tmp_path, "thing", avro.event_schema(NUMBER))
    assert run(root, ["schema", "freeze", str(tmp_path)]) == 1
    assert "nothing is frozen" in capfd.readouterr().err


def test_a_frozen_folder_passes_and_freezes_no_more(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    avro.write_schema(tmp_path, "thing", avro.event_schema())
    assert run(root, ["schema", "freeze", str(tmp_path)]) == 0
    assert capfd.readouterr().out.strip() == str(tmp_path / "history/thing/1.avsc")
    assert run(root, ["schema", "check", str(tmp_path)]) == 0
    assert run(root, ["schema", "freeze", str(tmp_path)]) == 0
    assert "in its history already" in capfd.readouterr().err


def test_generating_writes_the_records_of_a_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    avro.write_schema(tmp_path, "thing", avro.event_schema(NUMBER))
    output = tmp_path / "out.py"
    assert run(root, ["schema", "generate", str(tmp_path), "-o", str(output)]) == 0
    assert capfd.readouterr().out.strip() == str(output)
    assert "class Thing(Event" in output.read_text()


def test_a_broken_file_is_a_configuration_error_that_names_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.avsc").write_text("{")
    assert run(root, ["schema", "check", str(tmp_path)]) == 2
    assert "broken.avsc" in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["check"], ["freeze"], ["generate"]])
def test_every_help_has_examples(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(root, ["schema", *arguments, "-h"]) == 0
    assert capfd.readouterr().out.count("headrace schema") >= 2
