"""A runner against the real broker, and what its group and topics say afterwards."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from confluent_kafka import Consumer, TopicPartition

from consumers.runtime import metadata
from consumers.runtime.broker_view import BrokerView
from consumers.runtime.kit import open_kit
from consumers.runtime.local import agent_named
from consumers.runtime.metadata import Note
from consumers.runtime.runner import Runner
from producers.sender import Sender
from tests.support.kits import SHOP
from tests.support.patience import patiently
from tests.support.shop.records import OrderPlaced
from tests.support.topics import read_all


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
        self.view = BrokerView(settings)
        self.crashes = []

    def place(self, *orders):
        """Send orders: (order_id, wish) or OrderPlaced, keyed by their id; waits for the broker."""
        for order in orders:
            event = order if isinstance(order, OrderPlaced) else OrderPlaced(order_id=order[0], wish=order[1])
            self.sender.send(self.placed, self.kit.codec.encode(event, topic=self.placed), key=event.order_id.encode())
        assert self.sender.flush(30) == 0

    @contextmanager
    def running(self, name, stop_s=5.0, **changes) -> Iterator[Runner]:
        """A runner of the agent, stopped at the end."""
        agent = msgspec.structs.replace(agent_named(self.kit, name), **changes)
        known = self.sender.topics(10)
        runner = Runner(agent, self.kit, self.sender, known_topics=known, crashed=self.crashes.append)
        runner.start()
        try:
            yield runner
        finally:
            runner.stop(drain_s=stop_s)
            assert runner.join(30)

    def commit_as_a_member(self, agent, partition, offset, **facts):
        """What a member that is gone has committed, with these facts in the metadata."""
        group = self.settings.names.group(agent)
        consumer = Consumer({"bootstrap.servers": self.settings.bootstrap_servers, "group.id": group})
        note = metadata.encode(Note(self.topic_id, **facts))
        consumer.commit(offsets=[TopicPartition(self.placed, partition, offset, metadata=note)], asynchronous=False)
        consumer.close()

    @property
    def topic_id(self):
        """Kafka's id of the orders' topic."""
        return self.view.topic_ids([self.placed])[self.placed][0]

    def committed(self, agent):
        """Offset by partition that the agent's group has committed; -1001 for none."""
        group = self.settings.names.group(agent)
        commits = patiently(lambda: self.view.commits(group, [self.placed]))
        return {
            number: commits[self.placed, number].offset if (self.placed, number) in commits else -1001
            for number in self.ends(self.placed)
        }

    def lag(self, agent):
        """How many offsets of the topic the group has not committed."""
        committed = self.committed(agent)
        return sum(end - max(0, committed.get(partition, 0)) for partition, end in self.ends(self.placed).items())

    def ends(self, topic):
        """The next offset of each partition."""
        return {number: high for (_, number), (_, high) in patiently(lambda: self.view.ends([topic])).items()}

    def read(self, topic):
        """Every record of a topic, as messages, by partition and offset."""
        return read_all(self.settings.bootstrap_servers, topic)
