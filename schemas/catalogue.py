"""What travels and who works on it: the built-in topics and schemas, and those of a user's own package."""

import importlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from schemas.errors import ConfigurationError
from schemas.names import Names
from schemas.schema_set import BUILT_IN, SchemaSet
from schemas.topics import TOPICS, Topic

DEFAULT = "consumers.agents"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Topics, schemas and agents of one process.

    Attributes:
        topics: by name, without the prefix.
        schemas: current and former, of Headrace and of the user's package.
        agents: `consumers.runtime.agent.Agent` objects: the built-in ones, then the user's.
    """

    topics: dict[str, Topic]
    schemas: SchemaSet
    agents: tuple[Any, ...] = ()

    def topic_of(self, record: str) -> Topic | None:
        """The topic that carries a record, by the schema's full name; None when there is none, or more than one."""
        found = [topic for topic in self.topics.values() if topic.record == record]
        return found[0] if len(found) == 1 else None


def load_catalogue(module: str = DEFAULT) -> Catalogue:
    """The built-in topics, schemas and agents, and what a module adds to them.

    Args:
        module: dotted name of a module with any of TOPICS (Topic objects), SCHEMAS (a folder of .avsc files, relative to
            the module's own folder) and AGENTS (Agent objects). Records that it uses are imported by itself.

    Raises:
        ConfigurationError: naming everything that is wrong, all at once.
    """
    named = _import(module)
    problems: list[str] = []
    schemas = _schemas(named, problems)
    topics = _topics([*TOPICS, *_listed(named, "TOPICS", problems)], schemas, problems)
    built_in_agents = [] if module == DEFAULT else _listed(_import(DEFAULT), "AGENTS", problems)
    agents = (*built_in_agents, *_listed(named, "AGENTS", problems))
    problems += _agent_problems(agents, topics)
    if problems or schemas is None:
        raise ConfigurationError([f"catalogue {module}: {problem}" for problem in problems])
    return Catalogue(topics, schemas, agents)


def built_in() -> Catalogue:
    """The built-in topics and schemas, without agents: all that a publisher needs."""
    return Catalogue({topic.name: topic for topic in TOPICS}, SchemaSet.load())


def _import(module: str) -> ModuleType:
    """The module; a console script does not search the working directory, where a user's package stands."""
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    try:
        return importlib.import_module(module)
    except Exception as error:
        # Whatever a user's module raises while it is imported is a fault of the configuration.
        advice = "name an importable module by --catalogue or HEADRACE_CATALOGUE"
        raise ConfigurationError([f"catalogue {module}: {type(error).__name__}: {error}; {advice}"]) from error


def _schemas(module: ModuleType, problems: list[str]) -> SchemaSet | None:
    folder = getattr(module, "SCHEMAS", None)
    own = [] if folder is None else [Path(module.__file__ or "").parent / folder]
    try:
        return SchemaSet.load(BUILT_IN, *own)
    except ConfigurationError as error:
        problems += error.problems
        return None


def _listed(module: ModuleType, name: str, problems: list[str]) -> list[Any]:
    listed = getattr(module, name, ())
    if isinstance(listed, list | tuple):
        return list(listed)
    problems.append(f"{name} must be a tuple or a list, not a {type(listed).__name__}")
    return []


def _topics(found: Iterable[Any], schemas: SchemaSet | None, problems: list[str]) -> dict[str, Topic]:
    topics: dict[str, Topic] = {}
    for topic in found:
        if not isinstance(topic, Topic):
            problems.append(f"TOPICS holds a {type(topic).__name__}, not a schemas.topics.Topic")
            continue
        problems += topic.problems()
        if topic.name in topics:
            problems.append(f"topic {topic.name!r} is there twice")
        if schemas is not None:
            problems += _record_problems(topic, schemas)
        topics[topic.name] = topic
    return topics


def _record_problems(topic: Topic, schemas: SchemaSet) -> list[str]:
    if topic.record not in schemas:
        known = ", ".join(sorted(schema.name for schema in schemas))
        return [f"topic {topic.name!r}: no .avsc file defines {topic.record!r}; there are {known}"]
    fields = [field["name"] for field in schemas[topic.record].raw["fields"]]
    if topic.key_field is not None and topic.key_field not in fields:
        return [f"topic {topic.name!r}: key_field {topic.key_field!r} is no field of {topic.record}"]
    return []


def _agent_problems(agents: tuple[Any, ...], topics: dict[str, Topic]) -> list[str]:
    """What the agents say of themselves, and the topics they name that nobody defines."""
    problems: list[str] = []
    names = [agent.name for agent in agents if hasattr(agent, "name")]
    problems += [f"agent {name!r} is there twice" for name in sorted({name for name in names if names.count(name) > 1})]
    dead_letters = {Names().dead_letter(name) for name in names}
    for agent in agents:
        if not callable(getattr(agent, "problems", None)):
            problems.append(f"AGENTS holds a {type(agent).__name__}, not an Agent")
            continue
        problems += agent.problems()
        unknown = [name for name in agent.topics if name not in topics and name not in dead_letters]
        unknown += [agent.output] if agent.output and agent.output not in topics else []
        problems += [f"agent {agent.name!r}: no topic is called {name!r}" for name in unknown]
    return problems
