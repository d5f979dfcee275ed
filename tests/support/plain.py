"""A plain Kafka client, for tests that need a few records there and back."""

import time
from collections.abc import Mapping

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]


def admin_of(servers: str) -> AdminClient:
    """An administrator's client that keeps connection failures to itself."""
    return AdminClient({"bootstrap.servers": servers, "log_level": 2})


def create_topic(admin: AdminClient, name: str, *, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
    """Create a topic and wait until the brokers know a leader of each partition (creation is told them afterwards).

    It keeps its records for ever, unless `config` says otherwise: those of fixed times are older than the broker's seven days once
    the tests are, and were deleted under them.
    """
    written = {"retention.ms": "-1", **(config or {})}
    admin.create_topics([NewTopic(name, partitions, config=written)])[name].result(timeout=20)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        known = admin.list_topics(name, timeout=10).topics[name].partitions.values()
        if len(known) == partitions and all(partition.leader >= 0 for partition in known):
            return name
        time.sleep(0.02)
    raise TimeoutError(f"topic {name} has no leaders after 20 s")


def write(servers: str, topic: str, values: list[bytes]) -> None:
    """Write records to partition 0, each acknowledged by every replica in sync."""
    producer = Producer({"bootstrap.servers": servers, "acks": "all", "log_level": 2})
    errors: list[object] = []
    for value in values:
        producer.produce(topic, value, partition=0, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(60) == 0
    assert errors == [None] * len(values)


def read(servers: str, topic: str, count: int) -> list[bytes]:
    """The first records of partition 0; fewer if no more come."""
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "plain", "enable.auto.commit": False, "log_level": 2}
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    messages = consumer.consume(count, 20)
    consumer.close()
    return [message.value() or b"" for message in messages]
