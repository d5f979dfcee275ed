"""The Kafka side of a run: the topic, the same ids in it, and what a group has left behind."""

import time
from collections.abc import Callable, Sequence

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bench.loss.outcome import Left
from bench.loss.workload import UNDECODABLE, Item, bad_keys

TOPIC = "items"
GROUP = "bench"
PARTITIONS = 4
Positions = dict[str, tuple[int, int]]
"""Partition and offset of each id."""


def create_topic(servers: str) -> None:
    """The topic that a contestant reads."""
    admin = AdminClient({"bootstrap.servers": servers})
    for future in admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)]).values():
        future.result(15)


def publish(servers: str, items: Sequence[Item], encode: Callable[[Item], bytes]) -> Positions:
    """Publish every id, the undecodable values spread among them, and wait for the broker's acknowledgement of each.

    Raises:
        KafkaException: when one was not delivered.
    """
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True})
    positions: Positions = {}

    def delivered(error: object, message: Message) -> None:
        if error is not None:
            raise KafkaException(error)
        positions[(message.key() or b"").decode()] = (message.partition() or 0, message.offset() or 0)

    records = [(item.item_id, encode(item)) for item in items]
    for number, bad in enumerate(zip(bad_keys(), UNDECODABLE, strict=True)):
        records.insert((number + 1) * len(records) // (len(UNDECODABLE) + 1), bad)
    for key, value in records:
        producer.produce(TOPIC, value, key, on_delivery=delivered)
        producer.poll(0)
    producer.flush(30)
    if len(positions) != len(records):
        raise RuntimeError(f"only {len(positions)} of {len(records)} records were acknowledged")
    return positions


def left_behind(servers: str, positions: Positions, *, dead_letters: str | None) -> Left:
    """What the group's commits don't cover still waits; what stands in its dead-letter topic, if it has one, is dead."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": GROUP, "enable.auto.commit": False})
    try:
        asked = [TopicPartition(TOPIC, partition) for partition in range(PARTITIONS)]
        committed = {each.partition: max(0, each.offset) for each in consumer.committed(asked, timeout=15)}
    finally:
        consumer.close()
    waiting = {key for key, (partition, offset) in positions.items() if offset >= committed[partition]}
    return Left(dead=keys_in(servers, dead_letters) if dead_letters else frozenset(), waiting=frozenset(waiting))


def keys_in(servers: str, topic: str) -> frozenset[str]:
    """The keys of all records of a topic."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "reader", "enable.auto.commit": False})
    try:
        found = consumer.list_topics(topic, timeout=15).topics[topic].partitions
        starts = [TopicPartition(topic, partition, 0) for partition in found]
        ends = sum(consumer.get_watermark_offsets(each, timeout=15)[1] for each in starts)
        consumer.assign(starts)
        keys: list[str] = []
        until_s = time.monotonic() + 20
        while len(keys) < ends and time.monotonic() < until_s:
            keys += [(message.key() or b"").decode() for message in consumer.consume(1000, 0.5) if not message.error()]
        return frozenset(keys)
    finally:
        consumer.close()
