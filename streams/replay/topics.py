"""Topics of a job's own: made like the live ones whose place they take."""

from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import admin as kafka_admin

from consumers.runtime.broker_view import open_admin, reason_of
from producers.errors import UnknownTopicError
from schemas.settings import Settings
from streams.replay.job import ReplayError

_admin: Any = kafka_admin  # its stubs leave out what it re-exports
_TIMEOUT_S = 10.0
_SETTLED_BY_TOPIC = "DYNAMIC_TOPIC_CONFIG"


def make_like(settings: Settings, model: str, name: str) -> bool:
    """Create a topic with another one's partitions and settings, unless it is there; whether it was created.

    Args:
        settings: where the broker is.
        model: the broker's name of the topic to be like.
        name: of the new one.

    Raises:
        UnknownTopicError: if the model is missing.
        ReplayError: if the broker refuses.
    """
    client = open_admin(settings)
    known = client.list_topics(timeout=_TIMEOUT_S).topics
    if name in known:
        return False
    if model not in known:
        remedy = "create it with: headrace init"
        raise UnknownTopicError(f"the broker has no topic {model}; {remedy}", topic=settings.names.bare(model))
    try:
        config = _own_settings(client, model)
        wanted = _admin.NewTopic(name, len(known[model].partitions), -1, config=config)
        client.create_topics([wanted], request_timeout=_TIMEOUT_S)[name].result(_TIMEOUT_S + 5.0)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise ReplayError(f"the topic {name} cannot be created: {reason_of(error)}") from error
    return True


def _own_settings(client: Any, topic: str) -> dict[str, str]:
    """What was set for this topic, beside the broker's own defaults."""
    resource = _admin.ConfigResource(_admin.ResourceType.TOPIC, topic)
    (future,) = client.describe_configs([resource], request_timeout=_TIMEOUT_S).values()
    entries = future.result(_TIMEOUT_S + 5.0).values()
    return {entry.name: entry.value for entry in entries if _source(entry) == _SETTLED_BY_TOPIC}


def _source(entry: Any) -> str:
    return str(_admin.ConfigSource(entry.source).name)
