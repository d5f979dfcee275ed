"""Looks at the groups' commits all the while: what the broker says is done, and since when it says so."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException

_EVERY_S = 0.05
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Commit:
    """A committed offset, and the moment by which it was seen for the first time: the earliest is the strictest."""

    group: str
    epoch: int
    partition: int
    offset: int
    seen_ns: int


class Sampler:
    """A thread that asks every 50 ms, and whenever it is told to.

    Attributes:
        commits: every different commit that was seen, in the order of seeing.
        samples: how often the broker answered.
        latest: the last answer: offset by (group, partition).
    """

    def __init__(self, admin: Any, groups: list[str], topic: str, *, epoch: Callable[[], int]) -> None:
        self._admin = admin
        self._groups = groups
        self._topic = topic
        self._epoch = epoch
        self._known: set[tuple[str, int, int, int]] = set()
        self._asking = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.commits: list[Commit] = []
        self.samples = 0
        self.latest: dict[tuple[str, int], int] = {}

    def start(self) -> None:
        """Start sampling."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(30)

    def sample(self) -> None:
        """One look at every group; a broker that is away has nothing to say."""
        with self._asking:
            for group in self._groups:
                self._look(group)

    def offsets(self, group: str) -> dict[int, int]:
        """The last offsets seen of a group, by partition."""
        return {partition: offset for (of, partition), offset in self.latest.items() if of == group}

    def forget(self) -> None:
        """The topic is another one now: what was seen counts for the old one alone."""
        with self._asking:
            self.latest.clear()

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            self.sample()

    def _look(self, group: str) -> None:
        epoch = self._epoch()
        try:
            asked = self._admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group)], request_timeout=_TIMEOUT_S
            )
            found = asked[group].result(_TIMEOUT_S + 2.0).topic_partitions or []
        except (KafkaException, TimeoutError):
            return
        self.samples += 1
        seen_ns = time.time_ns()
        for place in found:
            if place.topic == self._topic and place.offset >= 0:
                self._note(Commit(group, epoch, place.partition, place.offset, seen_ns))

    def _note(self, commit: Commit) -> None:
        self.latest[commit.group, commit.partition] = commit.offset
        name = (commit.group, commit.epoch, commit.partition, commit.offset)
        if name not in self._known:
            self._known.add(name)
            self.commits.append(commit)
