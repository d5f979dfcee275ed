import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from schemas import generate
from schemas.codec import Codec
from schemas.errors import ConfigurationError
from schemas.event import Event
from schemas.schema_set import BUILT_IN
from tests.support import avro


def test_the_checked_in_records_are_up_to_date() -> None:
    assert (BUILT_IN / "records.py").read_text() == generate.source_of(BUILT_IN), "run: python -m schemas.generate"


@settings(max_examples=30, deadline=None)
@given(avro.schemas())
def test_what_is_generated_needs_no_formatting_and_runs(schema: dict[str, object]) -> None:
    schemas = avro.schema_set(schema)
    source = generate.generate(schemas, folder="test", command="test")
    formatted = subprocess.run(
        [str(Path(sys.executable).with_name("ruff")), "format", "--line-length", "120", "-"],
        input=source, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert formatted.stdout == source
    assert issubclass(avro.module_of(schemas).Thing, Event)


def test_required_fields_come_first_then_the_stamps_then_the_defaults() -> None:
    from schemas.records import TextPosted

    assert TextPosted.__struct_fields__ == ("text_id", "event_id", "occurred_at", "text", "reference", "author_id")
    one, other = TextPosted(text_id="a", text="hi"), TextPosted(text_id="a", text="hi")
    assert one.id != other.id
    assert one.occurred_at_us <= other.occurred_at_us


def test_records_are_immutable() -> None:
    from schemas.records import TextPosted

    with pytest.raises(AttributeError):
        TextPosted(text_id="a").text_id = "b"


def test_every_kind_of_default_is_kept() -> None:
    raw = avro.event_schema(
        {"name": "flag", "type": "boolean", "default": True},
        {"name": "ratio", "type": "double", "default": 1},
        {"name": "data", "type": "bytes", "default": "\u00ff\u0001"},
        {"name": "quoted", "type": "string", "default": 'it\'s "so"\n'},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}, "default": "B"},
        {"name": "numbers", "type": {"type": "array", "items": "int"}, "default": [1]},
        {"name": "named", "type": {"type": "map", "values": "int"}, "default": {"a": 1}},
        {"name": "nothing", "type": ["null", "string"], "default": None},
        {"name": "something", "type": ["string", "null"], "default": "x"},
    )
    codec, kind = avro.codec_and_type(raw)
    event = kind(event_id="e", occurred_at=1)
    assert msgspec.structs.astuple(event)[2:] == (
        True, 1.0, b"\xff\x01", "it's \"so\"\n", "B", (1,), {"a": 1}, None, "x",
    )  # fmt: skip
    assert codec.decode(codec.encode(event, topic="t"), kind) == event


def test_a_doc_cannot_end_its_docstring() -> None:
    raw = avro.event_schema({"name": "a", "type": "int", "doc": 'evil """ \\'}, doc='quoted "end"')
    assert avro.module_of(avro.schema_set(raw)).Thing.__doc__.startswith('quoted "end"')


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"name": "class", "type": "int"}, "a field cannot be called class"),
        ({"name": "1st", "type": "int"}, "a field cannot be called 1st"),
        ({"name": "id", "type": "int"}, "a field cannot be called id"),
        ({"name": "either", "type": ["int", "long"]}, "one Python value would fit several branches"),
    ],
)
def test_what_python_cannot_express_is_refused_by_name(field: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        generate.generate(avro.schema_set(avro.event_schema(field)), folder="test", command="test")


def test_two_types_of_one_bare_name_are_refused() -> None:
    def kind(symbol: str) -> dict[str, object]:
        return {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": [symbol]}}

    with pytest.raises(ConfigurationError, match="another type of the same bare name"):
        generate.generate(
            avro.schema_set(avro.event_schema(kind("A")), avro.event_schema(kind("B"), name="Other")),
            folder="f",
            command="c",
        )


def test_the_command_writes_the_module_of_a_folder(tmp_path: Path) -> None:
    shutil.copy(BUILT_IN / "text_posted.avsc", tmp_path)
    output = tmp_path / "out.py"
    done = subprocess.run(
        [sys.executable, "-m", "schemas.generate", str(tmp_path), "-o", str(output)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(output)
    assert "class TextPosted(Event, frozen=True, gc=False):" in output.read_text()


def test_the_command_says_what_is_wrong_and_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.avsc").write_text("{")
    assert generate.main([str(tmp_path)]) == 2
    assert "broken.avsc" in capsys.readouterr().err


def test_the_generated_types_work_with_the_codec_of_the_same_folder() -> None:
    raw = avro.event_schema({"name": "n", "type": "int"})
    codec, kind = avro.codec_and_type(raw)
    assert isinstance(codec, Codec)
    assert codec.decode(codec.encode(kind(n=7), topic="t"), kind).n == 7
