"""One record for a compacted topic, acknowledged before the command goes on."""

from typing import Any

from confluent_kafka import KafkaException

from producers.sender import Sender
from schemas.errors import ConfigurationError, TimedOutError
from schemas.settings import Settings

_ANSWER_S = 10.0
_ACKNOWLEDGED_S = 30.0


def write(settings: Settings, topic: str, key: bytes, value: bytes, *, what: str) -> None:
    """Write it down.

    Args:
        settings: where the broker is.
        topic: its name in the catalogue.
        key: whose latest value counts.
        value: that value.
        what: what it is, for an error.

    Raises:
        ConfigurationError: when the topic is missing.
        TimedOutError: when the broker does not acknowledge it.
    """
    topic, refused = settings.names.topic(topic), list[object]()
    sender = Sender(settings, client_id="headrace-commands")
    try:
        if topic not in _known(sender):
            raise ConfigurationError([missing(topic)])
        sender.send(
            topic, value, key=key, on_delivery=lambda error, _: refused.append(error) if error is not None else None
        )
        waiting = sender.flush(_ACKNOWLEDGED_S)
    finally:
        sender.close(1.0)
    if waiting or refused:
        raise TimedOutError(f"{what} was not written to {topic}: {refused[0] if refused else 'no answer in time'}")


def _known(sender: Sender) -> dict[str, Any]:
    try:
        return sender.topics(_ANSWER_S)
    except KafkaException as error:
        raise TimedOutError(f"the broker does not list its topics: {error.args[0].str()}") from error


def missing(topic: str) -> str:
    """What is to be said of a topic that is missing."""
    return f"the topic {topic} is missing; create it with: headrace init"
