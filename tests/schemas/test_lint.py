import json

import pytest
from hypothesis import given

from schemas import lint
from schemas.errors import ConfigurationError
from schemas.schema_set import BUILT_IN, Schema
from tests.support import avro


def _array(items: object) -> dict[str, object]:
    return avro.event_schema({"name": "many", "type": {"type": "array", "items": items}})


EMPTY = {"type": "record", "name": "Empty", "fields": []}
HOLLOW = {
    "type": "record",
    "name": "Hollow",
    "fields": [{"name": "inner", "type": EMPTY}, {"name": "none", "type": "null"}],
}


@pytest.mark.parametrize("items", ["null", EMPTY, HOLLOW, {"type": "fixed", "name": "Nothing", "size": 0}])
def test_items_of_zero_width_are_refused_in_arrays_and_maps(items: object) -> None:
    map_of = avro.event_schema({"name": "many", "type": {"type": "map", "values": items}})
    assert any("zero bytes" in problem for problem in lint.problems(_array(items)))
    assert any("zero bytes" in problem for problem in lint.problems(map_of))


def test_a_schema_that_contains_itself_is_refused_however_deep() -> None:
    node = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
    behind = {"type": "record", "name": "A", "fields": [{"name": "b", "type": {"type": "array", "items": node}}]}
    assert lint.problems(node) == ["next: Node contains itself; a recursive schema lets a record nest without end"]
    assert "Node contains itself" in lint.problems(behind)[0]


def test_a_large_nullable_fixed_in_an_array_is_refused() -> None:
    big = {"type": "fixed", "name": "Big", "size": 65_536}
    assert "can take 65536 bytes of memory" in lint.problems(_array(["null", big]))[0]


def test_a_large_nullable_fixed_hidden_behind_a_name_and_a_record_is_refused() -> None:
    big = {"type": "fixed", "name": "Big", "size": 65_536}
    holder = {"type": "record", "name": "Holder", "fields": [{"name": "big", "type": ["null", big]}]}
    schema = {"type": "record", "name": "Top", "fields": [
        {"name": "one", "type": holder}, {"name": "many", "type": {"type": "array", "items": "Holder"}}]}  # fmt: skip
    assert any("memory" in problem for problem in lint.problems(schema))


def test_a_small_nullable_in_an_array_and_a_large_plain_fixed_pass() -> None:
    assert lint.problems(_array(["null", "string"])) == []
    assert (
        lint.problems(avro.event_schema({"name": "digest", "type": {"type": "fixed", "name": "D", "size": 100_000}}))
        == []
    )


def test_a_schema_nested_too_deep_is_refused() -> None:
    deep: object = "string"
    for _ in range(10_000):
        deep = {"type": "array", "items": deep}
    assert "nests deeper than 32" in lint.problems(deep)[0]


def test_a_name_that_stands_for_a_name_many_times_is_walked_once() -> None:
    layers: list[dict[str, object]] = [{"type": "record", "name": "L0", "fields": [{"name": "x", "type": "int"}]}]
    for number in range(1, 60):
        fields = [{"name": "a", "type": f"L{number - 1}"}, {"name": "b", "type": f"L{number - 1}"}]
        layers.append({"type": "record", "name": f"L{number}", "fields": fields})
    schema = {
        "type": "record",
        "name": "Top",
        "fields": [{"name": f"l{n}", "type": layer} for n, layer in enumerate(layers)],
    }
    assert lint.problems(schema) == []


@pytest.mark.parametrize(
    "schema", [None, 7, "nonsense", {}, {"type": "record"}, {"type": "record", "name": "A"}, [7], []]
)
def test_what_is_no_schema_is_a_configuration_error(schema: object) -> None:
    with pytest.raises(ConfigurationError):
        Schema.of(schema)


def test_an_event_has_to_begin_with_its_id_and_time() -> None:
    assert lint.event_problems(avro.event_schema()) == []
    assert lint.event_problems({"type": "record", "name": "A", "fields": avro.START[::-1]}) == [
        "its field number 1 must be event_id, a string",
        "its field number 2 must be occurred_at, a long (timestamp-micros)",
    ]
    assert lint.event_problems("string") == ["it is not a record"]


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.avsc")), ids=lambda path: path.stem)
def test_every_field_of_our_own_schemas_is_documented(path: object) -> None:
    def undocumented(schema: object, where: str) -> list[str]:
        if isinstance(schema, list):
            return [found for branch in schema for found in undocumented(branch, where)]
        if not isinstance(schema, dict):
            return []
        own = [] if schema.get("doc") or "fields" not in schema else [where]
        fields = [(f"{where}.{field['name']}", field) for field in schema.get("fields", [])]
        own += [name for name, field in fields if not field.get("doc")]
        inner = [(name, field["type"]) for name, field in fields]
        inner += [(where, schema[key]) for key in ("type", "items") if isinstance(schema.get(key), dict | list)]
        return own + [found for name, part in inner for found in undocumented(part, name)]

    assert undocumented(json.loads(path.read_text()), path.stem) == []


@given(avro.schemas())
def test_ordinary_schemas_pass(schema: dict[str, object]) -> None:
    assert lint.problems(schema) == []
