"""Kafka clients as Headrace opens them, and the question whether a broker is there."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from confluent_kafka import KafkaException, Producer

from producers.client_log import ClientLog, without_detail
from schemas.errors import ConfigurationError, UnreachableError
from schemas.settings import Settings

MAX_SENT_BYTES = 64 * 1024 * 1024
"""librdkafka's own bound, set out of the way: the topic's max.message.bytes decides, and a dead letter needs a little more."""
_BATCH_BYTES = 256 * 1024
_MISSING_TOPIC_MS = 5_000
"""After how long a topic that no broker knows counts as missing; by default a missing dead-letter topic is told after 30 s."""
_QUEUE_RECORDS = 100_000
_QUEUE_KIB = 128 * 1024
_DELIVERY_TIMEOUT_MS = 60_000
_KEPT = {"acks": {"all", "-1"}, "request.required.acks": {"all", "-1"}, "enable.idempotence": {"true", "t", "1"}}


class BrokerUnreachableError(UnreachableError):
    """Raised when no Kafka broker answers."""

    def __init__(self, servers: str, reason: str) -> None:
        remedy = "Start one with: make stack, or set KAFKA_BOOTSTRAP_SERVERS"
        super().__init__(f"no Kafka broker answers at {servers} ({reason}). {remedy}")


def open_producer(settings: Settings, *, client_id: str, log: ClientLog, on_error: Callable[[Any], None]) -> Producer:
    """An idempotent producer.

    lz4: no compression, zstd, batches of 64 KiB and 1 MiB published as fast within the noise (docs/performance.md), so the network
    has the say, which lz4 spares. So it was with a linger of 0, 0.2, 1, 5, 20 and 50 ms: whatever is published while a request is
    on its way goes with the next. At 500 events/s the middle time from a publish call to its result was 4.5 ms with 0, 6.4 with 0.2,
    7.4 with 1: with 0 such a quiet publisher sends a request a record. A cluster that is short of CPU wants KAFKA_LINGER_MS=5.
    Batches of 256 KiB: a batch that a topic's max.message.bytes refuses fails whole, librdkafka never splits one.
    murmur2, the partitioner of Java's, aiokafka's and kafka-python's producers: the same key goes to the same partition.

    Raises:
        ConfigurationError: if a KAFKA_* property is unknown, or would give up the promise of delivery.
    """
    own: dict[str, str | float | bool] = {
        "client.id": client_id,
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "linger.ms": 0,
        "batch.size": _BATCH_BYTES,
        "message.max.bytes": MAX_SENT_BYTES,
        "partitioner": "murmur2_random",
        "delivery.timeout.ms": _DELIVERY_TIMEOUT_MS,
        "topic.metadata.propagation.max.ms": _MISSING_TOPIC_MS,
        "queue.buffering.max.messages": _QUEUE_RECORDS,
        "queue.buffering.max.kbytes": _QUEUE_KIB,
    }
    refuse_other(settings, _KEPT, "Headrace always publishes with idempotence and acks=all")
    producer: Producer = open_client(Producer, {**settings.client(**own), "error_cb": on_error, "logger": log})
    return producer


def check_broker(settings: Settings, timeout_s: float = 5.0) -> None:
    """Ask for the cluster's metadata.

    Raises:
        BrokerUnreachableError: if no broker answers within `timeout_s` seconds; the text has librdkafka's last reason.
        ConfigurationError: if a KAFKA_* property is unknown.
    """
    reasons: list[str] = []
    quiet: dict[str, Any] = {
        "error_cb": lambda error: reasons.append(error.str()),
        "logger": ClientLog("headrace-check"),
    }
    # A producer, not an admin client: importing that would take a tenth of what `import producers` does.
    client = open_client(Producer, {**settings.client(**{"client.id": "headrace-check"}), **quiet})
    try:
        client.list_topics(timeout=timeout_s)
    except KafkaException as error:
        client.poll(0)
        told = [reason for reason in reasons if not reason.endswith("brokers are down")]  # the others say why
        reason = without_detail(told[-1]) if told else error.args[0].str()
        raise BrokerUnreachableError(settings.bootstrap_servers, reason) from error


def open_client(client: type[Any], properties: dict[str, Any]) -> Any:
    """A client of that class.

    Raises:
        ConfigurationError: if it refuses a property, as it does one that is misspelt.
    """
    try:
        return client(properties)
    except (KafkaException, TypeError, ValueError) as error:
        reason = error.args[0].str() if isinstance(error, KafkaException) else str(error)
        raise ConfigurationError(
            [f"the Kafka client refuses its configuration: {reason} (see KAFKA_* in the environment)"]
        ) from error


def refuse_other(settings: Settings, kept: Mapping[str, Collection[str]], why: str) -> None:
    """See that KAFKA_* overrides none of the properties that a promise stands on.

    Args:
        settings: with what KAFKA_* says.
        kept: the values that a property may have, in lower case, by its name; none where it is not the environment's to set.
        why: for the message.

    Raises:
        ConfigurationError: naming every variable that would.
    """
    problems = [
        f"KAFKA_{name.upper().replace('.', '_')}={value}: {why}; unset it"
        for name, allowed in kept.items()
        if (value := settings.kafka.get(name)) is not None and value.lower() not in allowed
    ]
    if problems:
        raise ConfigurationError(problems)
