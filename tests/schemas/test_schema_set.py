import json

import avro.schema
import pytest
from hypothesis import given

from schemas.errors import ConfigurationError, SchemaNotFoundError
from schemas.schema_set import Schema, SchemaSet, without_logical_types
from tests.support import avro as samples

PUBLISHED = {'"int"': "7275d51a3f395c8f", '"string"': "8f014872634503c7", '"null"': "63dd24e7cc258f8a"}
"""From the Avro project's own fingerprint tests (share/test/data/schema-tests.txt), big-endian."""


@pytest.mark.parametrize(("schema", "expected"), PUBLISHED.items())
def test_fingerprints_are_those_that_the_avro_project_publishes(schema: str, expected: str) -> None:
    assert Schema.of(schema.strip('"')).fingerprint[::-1].hex() == expected


@given(samples.schemas())
def test_fingerprints_agree_with_the_avro_package(raw: dict[str, object]) -> None:
    theirs = avro.schema.parse(json.dumps(without_logical_types(raw)))
    expected = theirs.fingerprint("CRC-64-AVRO")
    assert Schema.of(_flat(raw)).fingerprint == expected


def _flat(raw: dict[str, object]) -> object:
    """The avro package keeps {"type": "long"} where the specification's canonical form says "long"."""
    plain = without_logical_types(raw)
    for field in plain["fields"]:
        field["type"] = field["type"]["type"] if field["type"] == {"type": "long"} else field["type"]
    return plain


def test_a_logical_type_changes_no_fingerprint() -> None:
    plain = samples.event_schema({"name": "n", "type": "long"})
    dated = samples.event_schema({"name": "n", "type": {"type": "long", "logicalType": "timestamp-millis"}})
    assert Schema.of(plain).fingerprint == Schema.of(dated).fingerprint


def test_a_schema_is_found_by_full_and_by_bare_name() -> None:
    schemas = SchemaSet.load()
    assert schemas["headrace.TextPosted"] is schemas["TextPosted"]
    assert "headrace.TextPosted" in schemas
    assert len(schemas) == 6


def test_an_unknown_and_an_ambiguous_name_say_what_there_is() -> None:
    twins = [{**samples.event_schema(), "namespace": space} for space in ("a", "b")]
    with pytest.raises(SchemaNotFoundError, match=r"could be meant: a\.Thing, b\.Thing"):
        samples.schema_set(*twins)["Thing"]
    with pytest.raises(SchemaNotFoundError, match=r"headrace\.TextPosted"):
        SchemaSet.load()["Nonsense"]


def test_former_versions_are_found_by_fingerprint_and_in_order(tmp_path) -> None:
    versions = [
        samples.event_schema(*({"name": f"f{n}", "type": "int", "default": 0} for n in range(count)))
        for count in range(12)
    ]
    samples.write_schema(tmp_path, "thing", versions[-1])
    for number, raw in enumerate(versions, 1):
        samples.write_schema(tmp_path / "history" / "thing", str(number), raw)
    schemas = SchemaSet.load(tmp_path)
    assert [schema.path.stem for schema in schemas.history(schemas["Thing"])] == [str(n) for n in range(1, 13)]
    for raw in versions:
        assert schemas.by_fingerprint(Schema.of(raw).fingerprint).raw == raw
    assert schemas.by_fingerprint(bytes(8)) is None


def test_every_problem_of_a_folder_is_said_at_once(tmp_path) -> None:
    samples.write_schema(tmp_path, "one", samples.event_schema())
    samples.write_schema(tmp_path, "two", samples.event_schema())
    samples.write_schema(tmp_path, "no_event", {"type": "record", "name": "A", "fields": []})
    samples.write_schema(tmp_path / "history" / "one", "first", samples.event_schema())
    (tmp_path / "broken.avsc").write_text("{")
    with pytest.raises(ConfigurationError) as caught:
        SchemaSet.load(tmp_path, tmp_path / "missing")
    said = "\n".join(caught.value.problems)
    for part in ("two.avsc: test.Thing is defined in another", "no_event.avsc: its field number 1", "first.avsc: the name must",
                 "broken.avsc: Input data was truncated", "missing: there is no such folder"):  # fmt: skip
        assert part in said
