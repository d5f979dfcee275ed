"""What a catalogue needs on the broker and in the registry: planned, then created; what exists is never changed."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from schemas.catalogue import Catalogue
from schemas.errors import HeadraceError, UnreachableError
from schemas.names import CONTROL_TOPIC, DEAD_LETTERS_TOPIC, JOBS_TOPIC, WORKERS_TOPIC
from schemas.registry import COMPATIBILITY, Registry
from schemas.schema_set import Schema
from schemas.settings import Settings
from schemas.topics import MAX_MESSAGE_BYTES

Action = Literal["create", "register", "set", "keep", "differs"]
DEAD_LETTER_ROOM_BYTES = 64 * 1024
"""What a dead letter's headers may add to its origin, with room to spare (delivery.md)."""
BROKER_TIMEOUT_S = 8.0
_PROPAGATION_ATTEMPTS = 10
_PROPAGATION_S = 0.1
"""A topic that was created a moment ago may be listed by one broker and unknown to another, seen for some 10 ms."""


class ProvisionError(HeadraceError):
    """Raised when the broker refuses to create or to describe a topic."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that has to be there.

    Attributes:
        kind: what it is.
        name: the topic's name on the broker, or the subject's.
        action: "create", "register", "set" add something; "keep" and "differs" do nothing.
        detail: in words: what will be added, or what differs.
        partitions: of a topic to create.
        config: of a topic to create, as Kafka names its properties.
        schema: of a subject to register.
    """

    kind: Literal["topic", "subject"]
    name: str
    action: Action
    detail: str = ""
    partitions: int = 0
    config: Mapping[str, str] = field(default_factory=dict)
    schema: Schema | None = None

    @property
    def adds(self) -> bool:
        """Whether `apply` will do something."""
        return self.action not in {"keep", "differs"}


class Consuming(Protocol):
    """An agent, as far as its topics go: those it reads, and those in which its records wait to be tried again."""

    @property
    def name(self) -> str:
        """The agent's name."""

    @property
    def topics(self) -> Sequence[str]:
        """What it reads, without the prefix."""

    @property
    def retry_delays_s(self) -> Sequence[int]:
        """The delays of its retry topics, in whole seconds."""


def plan(settings: Settings, catalogue: Catalogue, *, agents: Sequence[Consuming] = ()) -> list[Step]:
    """What is there, what is missing and what differs.

    Args:
        settings: the broker, the prefix and, where one is set, the registry.
        catalogue: the topics and schemas.
        agents: those that need retry topics and a dead-letter topic.

    Raises:
        UnreachableError: if the broker or the registry does not answer within about ten seconds.
    """
    existing = _existing(settings)
    steps = [_topic_step(wanted, existing.get(wanted.name)) for wanted in _wanted(settings, catalogue)]
    limits = {step.name: _limit(step, existing) for step in steps}
    for agent in agents:
        for wanted in _aside(settings, catalogue, agent, limits):
            limits[wanted.name] = _limit(wanted, existing)
            steps.append(_topic_step(wanted, existing.get(wanted.name)))
    if settings.registry_url:
        registry = Registry(settings.registry_url)
        steps += [step for wanted in _wanted(settings, catalogue) for step in _subject_steps(registry, wanted)]
    return steps


def apply(settings: Settings, steps: Sequence[Step]) -> None:
    """Create and register what the plan adds; what another process has created meanwhile is left as it is.

    Raises:
        ProvisionError: naming every topic that the broker refuses to create, and why.
        IncompatibleSchemaError: if the registry refuses a schema.
        UnreachableError: if the broker or the registry does not answer.
    """
    _create([step for step in steps if step.kind == "topic" and step.adds], settings)
    subjects = [step for step in steps if step.kind == "subject" and step.adds]
    if subjects and settings.registry_url:
        registry = Registry(settings.registry_url)
        for step in subjects:
            if step.action == "register" and step.schema is not None:
                registry.register(step.name, step.schema)
            else:
                registry.set_compatibility(step.name)


@dataclass(frozen=True, slots=True)
class _Existing:
    partitions: int
    config: Mapping[str, str]


def _wanted(settings: Settings, catalogue: Catalogue) -> Iterator[Step]:
    for topic in catalogue.topics.values():
        schema = catalogue.schemas[topic.record]
        name = settings.names.topic(topic.name)
        yield Step("topic", name, "create", "", topic.partitions, topic.properties, schema)
    latest_of_key = {"cleanup.policy": "compact", "segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"}
    for name in (WORKERS_TOPIC, DEAD_LETTERS_TOPIC, JOBS_TOPIC, CONTROL_TOPIC):
        yield Step("topic", settings.names.topic(name), "create", "", 1, latest_of_key)


def _aside(settings: Settings, catalogue: Catalogue, agent: Consuming, limits: Mapping[str, int]) -> Iterator[Step]:
    """Where an agent's failed records go: as wide as its origins, and with room for the headers that tell their story."""
    names = settings.names
    origin_bytes = [limits.get(names.topic(topic), MAX_MESSAGE_BYTES) for topic in agent.topics]
    limit = str(max(origin_bytes, default=MAX_MESSAGE_BYTES) + DEAD_LETTER_ROOM_BYTES)
    config = {"cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": limit}
    yield Step("topic", names.dead_letter(agent.name), "create", "", 1, config)
    width = max((catalogue.topics[topic].partitions for topic in agent.topics if topic in catalogue.topics), default=1)
    for delay_s in agent.retry_delays_s:
        by_append = {"message.timestamp.type": "LogAppendTime"}  # one clock for all that wait in it
        yield Step("topic", names.retry(agent.name, delay_s), "create", "", width, config | by_append)


def _limit(step: Step, existing: Mapping[str, _Existing]) -> int:
    """The topic's max.message.bytes: as it is, or as it will be."""
    found = existing.get(step.name)
    return int((found.config if found else step.config).get("max.message.bytes", MAX_MESSAGE_BYTES))


def _topic_step(wanted: Step, found: _Existing | None) -> Step:
    shown = ", ".join(f"{name}={value}" for name, value in wanted.config.items())
    if found is None:
        detail = f"{wanted.partitions} partition{'s' if wanted.partitions > 1 else ''}, {shown}"
        return Step("topic", wanted.name, "create", detail, wanted.partitions, wanted.config)
    pairs = [("partitions", str(found.partitions), str(wanted.partitions))]
    pairs += [(name, found.config.get(name, ""), value) for name, value in wanted.config.items()]
    differing = [f"{name} is {there}, the catalogue says {said}" for name, there, said in pairs if there != said]
    return Step("topic", wanted.name, "differs" if differing else "keep", "; ".join(differing))


def _subject_steps(registry: Registry, topic: Step) -> Iterator[Step]:
    if topic.schema is None:
        return
    subject, schema = f"{topic.name}-value", topic.schema
    schema_id = registry.lookup(subject, schema)
    versions = registry.versions(subject) if schema_id is None else []
    if schema_id is None:
        what = f"{schema.name}, as version {max(versions, default=0) + 1}"
        yield Step("subject", subject, "register", what, schema=schema)
    level = registry.compatibility(subject) if versions or schema_id is not None else None
    if level is None:
        yield Step("subject", subject, "set", f"compatibility {COMPATIBILITY}")
    elif level != COMPATIBILITY:
        yield Step("subject", subject, "differs", f"compatibility is {level}, the catalogue says {COMPATIBILITY}")
    elif schema_id is not None:
        yield Step("subject", subject, "keep", f"{schema.name} is schema id {schema_id}")


def _admin(settings: Settings) -> Any:
    from confluent_kafka.admin import AdminClient

    properties: Any = settings.client(**{"log_level": 2, "socket.connection.setup.timeout.ms": 5_000})
    return AdminClient(properties)


def _existing(settings: Settings) -> dict[str, _Existing]:
    """The topics under the prefix, with their configuration."""
    from confluent_kafka import KafkaException

    admin = _admin(settings)
    try:
        found = admin.list_topics(timeout=BROKER_TIMEOUT_S).topics
    except KafkaException as error:
        raise _unreachable(settings, error) from error
    partitions = {name: len(topic.partitions) for name, topic in found.items() if name.startswith(settings.prefix)}
    configs = _configs(admin, list(partitions), settings)
    return {name: _Existing(partitions[name], config) for name, config in configs.items()}


def _configs(admin: Any, topics: Sequence[str], settings: Settings) -> dict[str, dict[str, str]]:
    """The topics' properties; without those that are gone since they were listed."""
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.admin._config import ConfigResource
    from confluent_kafka.admin._resource import ResourceType

    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    configs: dict[str, dict[str, str]] = {}
    for attempt in range(_PROPAGATION_ATTEMPTS):
        time.sleep(_PROPAGATION_S if attempt else 0)
        waiting = [resource for resource in resources if resource.name not in configs]
        asked = admin.describe_configs(waiting, request_timeout=BROKER_TIMEOUT_S) if waiting else {}
        for resource, future in asked.items():
            try:
                configs[resource.name] = {name: entry.value for name, entry in future.result().items()}
            except KafkaException as error:
                if error.args[0].code() in {KafkaError._TRANSPORT, KafkaError._TIMED_OUT}:
                    raise _unreachable(settings, error) from error
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise ProvisionError(f"topic {resource.name} cannot be described: {error.args[0].str()}") from error
    return configs


def _create(steps: Sequence[Step], settings: Settings) -> None:
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.cimpl import NewTopic

    if not steps:
        return
    # A replication factor of -1 is the broker's default (KIP-464): one node at home, three in production.
    topics = [NewTopic(step.name, step.partitions, -1, config=dict(step.config)) for step in steps]
    refused: list[str] = []
    admin = _admin(settings)  # held until the last answer: a client that is let go takes its requests with it
    for name, future in admin.create_topics(topics, request_timeout=BROKER_TIMEOUT_S).items():
        try:
            future.result()
        except KafkaException as error:
            cause = error.args[0]
            if cause.code() in {KafkaError._TRANSPORT, KafkaError._TIMED_OUT}:
                raise _unreachable(settings, error) from error
            if cause.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                refused.append(f"topic {name} cannot be created: {cause.str()}")
    if refused:
        raise ProvisionError("\n".join(refused))
    try:
        _await_listed(admin, {step.name for step in steps})
    except KafkaException as error:
        raise _unreachable(settings, error) from error


def _await_listed(admin: Any, topics: set[str]) -> None:
    """Wait until the broker's metadata show new topics, or for a second; whoever starts next is to find them."""
    for _ in range(_PROPAGATION_ATTEMPTS):
        if topics <= admin.list_topics(timeout=BROKER_TIMEOUT_S).topics.keys():
            return
        time.sleep(_PROPAGATION_S)


def _unreachable(settings: Settings, error: Exception) -> UnreachableError:
    reason = error.args[0].str() if error.args else str(error)
    where = settings.bootstrap_servers
    return UnreachableError(
        f"no Kafka broker answers at {where} ({reason}); check KAFKA_BOOTSTRAP_SERVERS, or start one: python -m devstack up"
    )
