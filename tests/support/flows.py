"""A runner against the real broker, and what its group and topics say afterwards."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from confluent_kafka import Consumer, TopicPartition

from consumers.runtime.broker_view import patiently
from consumers.runtime.kit import open_kit
from consumers.runtime.local import agent_named
from consumers.runtime.runner import Runner
from producers.sender import Sender
from tests.support.kits import SHOP
from tests.support.shop.records import OrderPlaced


def eventually(check, limit_s=30.0, every_s=0.05):
    """The check's first true answer; fails with its last one."""
    until_s = time.monotonic() + limit_s
    while not (answer := check()):
        assert time.monotonic() < until_s, f"not within {limit_s} s: {check} last said {answer!r}"
        time.sleep(every_s)
    return answer


class Flow:
    """The shop's topics under the test's prefix, a sender, and runners."""

    def __init__(self, settings, make_topic, *, partitions=4, **of_results):
        self.settings = msgspec.structs.replace(settings, catalogue=SHOP)
        self.kit = open_kit(self.settings)
        self.placed = make_topic("orders.placed", partitions=partitions)
        self.confirmed = make_topic("orders.confirmed", partitions=partitions, **of_results)
        self.make_topic = make_topic
        self.sender = Sender(settings, client_id="test")
        self.crashes = []

    def place(self, *orders, partition=None):
        """Send orders: (order_id, wish) or OrderPlaced, keyed by their id; waits for the broker."""
        for order in orders:
            event = order if isinstance(order, OrderPlaced) else OrderPlaced(order_id=order[0], wish=order[1])
            self.sender.send(self.placed, self.kit.codec.encode(event, topic=self.placed), key=event.order_id.encode())
        assert self.sender.flush(30) == 0

    @contextmanager
    def running(self, name, drain_s=5.0, **changes) -> Iterator[Runner]:
        """A runner of the agent, stopped at the end."""
        agent = msgspec.structs.replace(agent_named(self.kit, name), **changes)
        known = self.sender.topics(10)
        runner = Runner(agent, self.kit, self.sender, known_topics=known, crashed=self.crashes.append)
        runner.start()
        try:
            yield runner
        finally:
            runner.stop(drain_s=drain_s)
            assert runner.join(30)

    def committed(self, agent):
        """Offset by partition that the agent's group has committed; -1001 for none."""
        group = self.settings.names.group(agent)
        consumer = Consumer({"bootstrap.servers": self.settings.bootstrap_servers, "group.id": group})
        try:
            count = len(consumer.list_topics(self.placed, timeout=10).topics[self.placed].partitions)
            wanted = [TopicPartition(self.placed, number) for number in range(count)]
            found = patiently(lambda: consumer.committed(wanted, timeout=10))
            return {partition.partition: partition.offset for partition in found}
        finally:
            consumer.close()

    def lag(self, agent):
        """How many offsets of the topic the group has not committed."""
        committed = self.committed(agent)
        return sum(end - max(0, committed[partition]) for partition, end in self.ends(self.placed).items())

    def ends(self, topic):
        """The next offset of each partition."""
        consumer = Consumer({"bootstrap.servers": self.settings.bootstrap_servers, "group.id": "ends"})
        try:
            count = len(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
            return {n: consumer.get_watermark_offsets(TopicPartition(topic, n), timeout=10)[1] for n in range(count)}
        finally:
            consumer.close()

    def read(self, topic):
        """Every record of a topic, as messages, by partition and offset."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.settings.bootstrap_servers,
                "group.id": "read",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )
        try:
            count = len(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
            consumer.assign([TopicPartition(topic, number, 0) for number in range(count)])
            messages, ended = [], set()
            while len(ended) < count:
                for message in consumer.consume(500, 1.0):
                    if message.error():
                        ended.add(message.partition())
                    else:
                        messages.append(message)
            return messages
        finally:
            consumer.close()
