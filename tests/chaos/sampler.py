"""Looks at the groups' commits all the while: what the broker says is done, and since when it says so."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition

from consumers.runtime.metadata import decode

_EVERY_S = 0.05
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Commit:
    """A committed offset, and the moment by which it was seen for the first time: the earliest is the strictest.

    Attributes:
        beyond: what the commit's metadata call finished: a byte for the offset and for each that follows, 1 where it is.
    """

    group: str
    epoch: int
    partition: int
    offset: int
    seen_ns: int
    beyond: bytes = b""


class Sampler:
    """A thread that asks every 50 ms, and whenever it is told to.

    Attributes:
        commits: every different commit that was seen, in the order of seeing.
        samples: how often the broker answered.
        latest: the last answer: offset by (group, partition).
        then: called after each look at the groups, in the same thread.
    """

    def __init__(self, admin: Any, servers: str, groups: list[str], topic: str) -> None:
        self._admin = admin
        self._asked_by = {group: _outsider(servers, group) for group in groups}
        self._topic = topic
        self._partitions: list[TopicPartition] = []
        self._epochs: dict[str, int] = {}
        self._known: set[tuple[str, int, int, int, int]] = set()
        self._asking = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self.commits: list[Commit] = []
        self.samples = 0
        self.then: Callable[[], None] | None = None
        self.latest: dict[tuple[str, int], int] = {}

    def start(self) -> None:
        """Start sampling."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(30)

    def close(self) -> None:
        """End it, and its clients."""
        self.stop()
        for consumer in self._asked_by.values():
            consumer.close()

    def sample(self) -> None:
        """One look at every group; a broker that is away has nothing to say."""
        with self._asking:
            for group in self._asked_by:
                self._look(group)
            if self.then is not None:
                self.then()

    def offsets(self, group: str) -> dict[int, int]:
        """The last offsets seen of a group, by partition."""
        return {partition: offset for (of, partition), offset in self.latest.items() if of == group}

    def begin_epoch(self, number: int) -> str:
        """The topic was made: from now on a commit counts for it, unless its metadata name a former one; Kafka's id of it."""
        described = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_TIMEOUT_S)
        topic = described[self._topic].result(_TIMEOUT_S + 2.0)
        with self._asking:
            self._epochs[str(topic.topic_id)] = number
            self._partitions = [TopicPartition(self._topic, partition.id) for partition in topic.partitions]
            self.latest.clear()
        return str(topic.topic_id)

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            self.sample()

    def _look(self, group: str) -> None:
        current = max(self._epochs.values(), default=0)
        try:
            found = self._asked_by[group].committed(self._partitions, timeout=_TIMEOUT_S)
        except KafkaException:
            return
        self.samples += 1
        seen_ns = time.time_ns()
        for place in found:
            if place.error is None and place.offset >= 0:
                note = decode(place.metadata)
                epoch = self._epochs.get(note.topic_id or "", current)
                self._note(Commit(group, epoch, place.partition, place.offset, seen_ns, note.done), current)

    def _note(self, commit: Commit, current: int) -> None:
        if commit.epoch == current:
            self.latest[commit.group, commit.partition] = commit.offset
        name = (commit.group, commit.epoch, commit.partition, commit.offset, hash(commit.beyond))
        if name not in self._known:
            self._known.add(name)
            self.commits.append(commit)


def _outsider(servers: str, group: str) -> Consumer:
    """A consumer that never joins: asking by the admin client aborts the process when a broker dies meanwhile.

    Seen on librdkafka 2.16.0: `list_consumer_group_offsets` over a connection that is cut ends in an assertion
    (`rd_kafka_enq_once_del_source_return: eonce->refcnt > 0`), in a segfault, or never answers again.
    """
    return Consumer({"bootstrap.servers": servers, "group.id": group, "enable.auto.commit": False, "log_level": 2})
