import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.catalogue import built_in, load_catalogue
from schemas.errors import ConfigurationError, SchemaNotFoundError
from schemas.event import record_type
from schemas.records import TextPosted
from schemas.schema_set import SchemaSet
from tests.support import avro

ORDER = avro.event_schema({"name": "order_id", "type": "string"}, name="OrderPlaced")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package of a user in the working directory, where a console script would not look."""
    name = f"shop_{tmp_path.name.replace('-', '_')}"
    package = tmp_path / name
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield package
    for module in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[module]


def _agents(package: Path, source: str) -> str:
    (package / "agents.py").write_text(textwrap.dedent(source))
    return f"{package.name}.agents"


def test_the_built_in_catalogue_has_six_topics_with_their_schemas() -> None:
    catalogue = built_in()
    assert sorted(catalogue.topics) == [
        "activity.recorded", "activity.rolled-up", "images.processed", "images.uploaded", "texts.analyzed", "texts.posted",
    ]  # fmt: skip
    assert all(topic.record in catalogue.schemas for topic in catalogue.topics.values())
    assert catalogue.topic_of("headrace.TextPosted").name == "texts.posted"
    assert catalogue.topic_of("headrace.Nothing") is None


def test_our_own_agents_load() -> None:
    assert load_catalogue().agents


def test_a_users_package_adds_topics_schemas_and_agents(shop: Path) -> None:
    avro.write_schema(shop / "schemas", "order_placed", ORDER)
    module = _agents(shop, """
        from consumers.runtime.agent import Agent
        from schemas.topics import Topic

        SCHEMAS = "schemas"
        TOPICS = (Topic(name="orders.placed", record="test.OrderPlaced", partitions=2, key_field="order_id"),)
        AGENTS = (Agent(name="orders", topics=("orders.placed", "texts.posted", "orders.dlq"), handler="shop.orders:handle"),)
    """)  # fmt: skip
    catalogue = load_catalogue(module)
    assert catalogue.topics["orders.placed"].partitions == 2
    assert "test.OrderPlaced" in catalogue.schemas
    assert "headrace.TextPosted" in catalogue.schemas
    assert [agent.name for agent in catalogue.agents][-1] == "orders"
    assert {"images", "text", "analytics"} < {agent.name for agent in catalogue.agents}


def test_every_problem_is_said_at_once(shop: Path) -> None:
    avro.write_schema(shop / "schemas", "order_placed", ORDER)
    module = _agents(shop, """
        from pathlib import Path
        from consumers.runtime.agent import Agent
        from schemas.topics import Topic

        SCHEMAS = Path("schemas")
        TOPICS = [
            Topic(name="Bad Name", record="test.OrderPlaced", partitions=0, retention_ms=0,
                  config={"retention.ms": "1", "max.message.bytes": "much"}),
            Topic(name="texts.posted", record="headrace.TextPosted"),
            Topic(name="lost", record="test.Nothing"),
            Topic(name="keyed", record="test.OrderPlaced", key_field="nothing"),
            "orders",
        ]
        AGENTS = [
            Agent(name="a", topics=("nowhere",), handler="m:f", output="nothing"),
            Agent(name="a", topics=("lost",), handler="not a handler"),
            7,
        ]
    """)  # fmt: skip
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(module)
    said = "\n".join(caught.value.problems)
    for part in (
        "its name is not of lower-case", "partitions must be at least 1", "retention_ms must be above 0",
        "config sets retention.ms", "max.message.bytes must be a whole number", "topic 'texts.posted' is there twice",
        "no .avsc file defines 'test.Nothing'", "key_field 'nothing' is no field", "TOPICS holds a str",
        "agent 'a' is there twice", "no topic is called 'nowhere'", "no topic is called 'nothing'", "its handler 'not a handler'",
        "AGENTS holds a int",
    ):  # fmt: skip
        assert part in said
    assert all(problem.startswith(f"catalogue {module}: ") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        ("1 / 0", "ZeroDivisionError"),
        ("def (", "SyntaxError"),
        ("TOPICS = 7", "TOPICS must be a tuple or a list, not a int"),
        ("SCHEMAS = 'missing'", "there is no such folder"),
    ],
)
def test_a_module_that_is_wrong_is_a_configuration_error(shop: Path, source: str, said: str) -> None:
    module = _agents(shop, source)
    with pytest.raises(ConfigurationError, match=said):
        load_catalogue(module)


def test_a_module_that_is_not_there_says_how_to_name_one() -> None:
    with pytest.raises(ConfigurationError, match="HEADRACE_CATALOGUE"):
        load_catalogue("no.such.module")


def test_of_two_classes_of_one_schema_the_first_counts() -> None:
    again = avro.module_of(SchemaSet.load()).TextPosted  # as other tests of this process make them, and may keep them
    assert again is not TextPosted
    assert record_type("headrace.TextPosted") is TextPosted


def test_the_class_of_a_record_is_found_by_its_schemas_name() -> None:
    assert record_type("headrace.TextPosted") is TextPosted
    with pytest.raises(SchemaNotFoundError, match=r"no class of shop\.Nothing is imported"):
        record_type("shop.Nothing")
