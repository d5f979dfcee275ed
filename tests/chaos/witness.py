"""Commits all the while, in a group of its own: how long the broker takes for a commit, whoever sends it."""

import threading
import time
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Trip:
    """One commit: when it was sent and when it was answered, in ns since the epoch."""

    sent_ns: int
    answered_ns: int


class Witness:
    """A thread that sends a commit 50 ms after the last one's answer; for runs in which the broker stays.

    Attributes:
        trips: every commit that was answered, in order.
    """

    def __init__(self, servers: str, group: str, topic: str) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": servers, "group.id": group, "enable.auto.commit": False, "log_level": 2}
        )
        self._place = TopicPartition(topic, 0, 0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)
        self.trips: list[Trip] = []

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def close(self) -> None:
        """End it, and its client."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            sent_ns = time.time_ns()
            try:
                self._consumer.commit(offsets=[self._place], asynchronous=False)
            except KafkaException:
                continue  # it was not taken, so that it says nothing of how long that takes
            self.trips.append(Trip(sent_ns, time.time_ns()))
