"""Reads a topic from place to place: partitions by `assign`, no group, no commit."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from producers.client_log import ClientLog
from producers.errors import UnknownTopicError
from producers.kafka import open_client
from schemas.errors import HeadraceError, TimedOutError
from schemas.settings import Settings
from streams.positions import Position

_TIMEOUT_S = 10.0
_POLL_S = 0.2
_AT_ONCE = 500
_PATIENCE_S = 15.0
_NO_OFFSET = -1


class ReadError(HeadraceError):
    """Raised when the broker refuses to give records: the topic was deleted, or reading it is not allowed."""

    exit_code = 3


class TopicReader:
    """One topic's records.

    Args:
        settings: where the broker is.
        topic: the topic's name on the broker.

    Raises:
        UnknownTopicError: if the broker has no such topic.
        TimedOutError: if the broker does not answer in time.
    """

    def __init__(self, settings: Settings, topic: str) -> None:
        self.topic = topic
        self._consumer = _open(settings)
        self._partitions = self._look_up(settings)
        self._bounds: dict[int, tuple[int, int]] = {}
        self.look_again()

    def look_again(self) -> None:
        """Ask once more where the topic begins and ends."""
        self._bounds = {partition: self._watermarks(partition) for partition in self._partitions}

    @property
    def bounds(self) -> dict[int, tuple[int, int]]:
        """The first offset kept and the next one to be written, by partition, as they were when it looked last."""
        return dict(self._bounds)

    def offsets(self, position: Position) -> dict[int, int]:
        """The offset of a position in every partition, between the first record and the end as it was then."""
        if position.kind == "time":
            return self._offsets_at(position.number)
        return {partition: position.within(low, high) for partition, (low, high) in self._bounds.items()}

    def last(self, count: int) -> dict[int, int]:
        """Where to begin so that the topic's last `count` records, whatever their partitions, are among those read."""
        return {partition: max(low, high - count) for partition, (low, high) in self._bounds.items()}

    def read(
        self, start: dict[int, int], end: dict[int, int] | None, *, until: Callable[[], bool] = lambda: False
    ) -> Iterator[Message]:
        """Records from offset to offset, each partition in its order; without an end, until `until` says so.

        A partition ends at its offset, or at the last record that can be read (transaction markers have offsets too).

        Raises:
            ReadError: if the broker refuses to give them.
        """
        unfinished = {part for part in start if end is None or start[part] < end[part]}
        self._consumer.assign([TopicPartition(self.topic, part, start[part]) for part in sorted(unfinished)])
        heard_s = time.monotonic()
        while unfinished and not until():
            messages = self._take()
            heard_s = time.monotonic() if messages else heard_s
            if end is not None and time.monotonic() - heard_s > _PATIENCE_S:
                raise TimedOutError(f"the broker sent nothing of {self.topic} for {_PATIENCE_S:g} s")
            for message in messages:
                partition, offset = _place(message)
                is_record = self._is_record(message)
                if is_record and (end is None or offset < end[partition]):
                    yield message
                if end is not None and (not is_record or offset + 1 >= end[partition]):
                    unfinished.discard(partition)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _take(self) -> list[Message]:
        """What has come; a first record at once, as `consume` alone would wait for all it was asked for."""
        first = self._consumer.poll(_POLL_S)
        return [] if first is None else [first, *self._consumer.consume(_AT_ONCE, 0)]

    def _is_record(self, message: Message) -> bool:
        """Whether it is a record, and not the news that a partition has no more for now."""
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise ReadError(f"{self.topic} [{message.partition()}] cannot be read: {error.str()} ({error.name()})")
        return error is None

    def _look_up(self, settings: Settings) -> list[int]:
        try:
            found = self._consumer.list_topics(timeout=_TIMEOUT_S).topics
        except KafkaException as error:
            raise TimedOutError(f"the broker does not list its topics: {error.args[0].str()}") from error
        if self.topic not in found:
            names = settings.names
            own = sorted(
                names.bare(name) for name in found if name.startswith(settings.prefix) and not name.startswith("__")
            )
            known = f"there are {', '.join(own)}" if own else "create those of the catalogue with: headrace init"
            raise UnknownTopicError(f"the broker has no topic {self.topic}; {known}", topic=names.bare(self.topic))
        return sorted(found[self.topic].partitions)

    def _watermarks(self, partition: int) -> tuple[int, int]:
        place = TopicPartition(self.topic, partition)
        bounds: tuple[int, int] | None = self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_S)
        if bounds is None:
            raise TimedOutError(f"the broker does not say where {self.topic} [{partition}] ends")
        return bounds

    def _offsets_at(self, time_ms: int) -> dict[int, int]:
        wanted = [TopicPartition(self.topic, partition, time_ms) for partition in self._partitions]
        try:
            found = self._consumer.offsets_for_times(wanted, timeout=_TIMEOUT_S)
        except KafkaException as error:
            raise TimedOutError(f"the broker does not say which offsets a time has: {error.args[0].str()}") from error
        highs = {partition: high for partition, (_, high) in self._bounds.items()}
        return {p.partition: highs[p.partition] if p.offset <= _NO_OFFSET else p.offset for p in found}


def _open(settings: Settings) -> Consumer:
    own: dict[str, str | float | bool] = {
        "client.id": "headrace-reader",
        "group.id": "headrace-reader",  # librdkafka asks for a name; nothing joins the group or commits to it
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50,
        "fetch.queue.backoff.ms": 2,
        "allow.auto.create.topics": False,
    }
    log = ClientLog("headrace-reader")
    consumer: Consumer = open_client(Consumer, {**settings.outsider(**own), "error_cb": log.error, "logger": log})
    return consumer


def _place(message: Message) -> tuple[int, int]:
    partition: Any = message.partition()
    offset: Any = message.offset()
    return partition, offset  # a message from the broker has both
