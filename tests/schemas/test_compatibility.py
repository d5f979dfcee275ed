from pathlib import Path

import pytest

from schemas import compatibility
from schemas.errors import IncompatibleSchemaError
from schemas.schema_set import BUILT_IN, Schema
from tests.support import avro

NUMBER = {"name": "n", "type": "int", "default": 0}


def _history(folder: Path, *versions: dict[str, object]) -> None:
    for number, raw in enumerate(versions, 1):
        avro.write_schema(folder / "history" / "thing", str(number), raw)


def test_our_own_schemas_fit_all_their_former_versions() -> None:
    assert [str(finding) for finding in compatibility.check(BUILT_IN)] == []


def test_a_field_with_a_default_may_come_and_go(tmp_path: Path) -> None:
    _history(tmp_path, avro.event_schema(), avro.event_schema(NUMBER))
    avro.write_schema(tmp_path, "thing", avro.event_schema(NUMBER, {"name": "m", "type": "string", "default": ""}))
    assert [finding.kind for finding in compatibility.check(tmp_path)] == ["not frozen"]


def test_a_new_field_without_a_default_cannot_read_what_was_written(tmp_path: Path) -> None:
    _history(tmp_path, avro.event_schema())
    avro.write_schema(tmp_path, "thing", avro.event_schema({"name": "n", "type": "int"}))
    found = compatibility.check(tmp_path)
    assert [(finding.kind, finding.version) for finding in found] == [("backward", 1), ("not frozen", 1)]
    assert "n" in found[0].reason


def test_a_removed_field_without_a_default_cannot_be_read_by_the_former(tmp_path: Path) -> None:
    _history(tmp_path, avro.event_schema({"name": "n", "type": "int"}))
    avro.write_schema(tmp_path, "thing", avro.event_schema())
    assert [finding.kind for finding in compatibility.check(tmp_path)] == ["forward", "not frozen"]


def test_every_version_counts_and_not_only_the_last(tmp_path: Path) -> None:
    text = avro.event_schema({"name": "n", "type": "string", "default": ""})
    _history(tmp_path, text, avro.event_schema())
    avro.write_schema(tmp_path, "thing", avro.event_schema(NUMBER))
    assert {(finding.kind, finding.version) for finding in compatibility.check(tmp_path)} == {
        ("backward", 1), ("forward", 1), ("not frozen", 2),
    }  # fmt: skip


def test_a_better_wording_is_no_new_version(tmp_path: Path) -> None:
    _history(tmp_path, avro.event_schema(NUMBER, doc="before"))
    avro.write_schema(tmp_path, "thing", avro.event_schema({**NUMBER, "doc": "after"}))
    assert compatibility.check(tmp_path) == []


def test_a_schema_whose_file_is_gone_is_found(tmp_path: Path) -> None:
    _history(tmp_path, avro.event_schema())
    assert [(finding.kind, finding.record) for finding in compatibility.check(tmp_path)] == [("removed", "thing")]


def test_freezing_adds_the_next_version_and_then_all_is_well(tmp_path: Path) -> None:
    path = avro.write_schema(tmp_path, "thing", avro.event_schema())
    assert compatibility.freeze(tmp_path) == [tmp_path / "history/thing/1.avsc"]
    avro.write_schema(tmp_path, "thing", avro.event_schema(NUMBER))
    assert compatibility.freeze(tmp_path) == [tmp_path / "history/thing/2.avsc"]
    assert (tmp_path / "history/thing/2.avsc").read_bytes() == path.read_bytes()
    assert compatibility.freeze(tmp_path) == []
    assert compatibility.check(tmp_path) == []


def test_freezing_refuses_an_incompatible_schema_and_writes_nothing(tmp_path: Path) -> None:
    _history(tmp_path, avro.event_schema())
    avro.write_schema(tmp_path, "thing", avro.event_schema({"name": "n", "type": "int"}))
    avro.write_schema(tmp_path, "other", avro.event_schema(name="Other"))
    with pytest.raises(IncompatibleSchemaError, match=r"test\.Thing \(backward, version 1\)"):
        compatibility.freeze(tmp_path)
    assert not (tmp_path / "history/other").exists()


def test_promotion_goes_one_way_only() -> None:
    narrow = Schema.of(avro.event_schema({"name": "n", "type": "int"}))
    wide = Schema.of(avro.event_schema({"name": "n", "type": "long"}))
    assert compatibility.differences(wide, narrow) == []
    assert compatibility.differences(narrow, wide)
