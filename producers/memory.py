"""A publisher without a broker, for a service's own tests: same checks, same errors, same bytes."""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError

from producers.answers import OnDelivery
from producers.bulk import BulkReceipt
from producers.outgoing import MAX_RECORD_BYTES, Headers, Outgoing
from producers.publisher import E, KeyOf, Publisher
from producers.receipt import Receipt
from producers.sender import SendError
from schemas.catalogue import Catalogue, built_in
from schemas.event import Event
from schemas.settings import Settings

_PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as a topic in memory holds it; topics by their names on the broker."""

    stored_topic: str
    stored_partition: int
    stored_offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    def topic(self) -> str:
        """As confluent-kafka's Message says it."""
        return self.stored_topic

    def partition(self) -> int:
        """As confluent-kafka's Message says it."""
        return self.stored_partition

    def offset(self) -> int:
        """As confluent-kafka's Message says it."""
        return self.stored_offset


@dataclass(frozen=True, slots=True)
class _Report:
    """A record as confluent-kafka's Message says it in a delivery report."""

    record: StoredRecord

    def topic(self) -> str:
        return self.record.stored_topic

    def partition(self) -> int:
        return self.record.stored_partition

    def offset(self) -> int:
        return self.record.stored_offset

    def key(self) -> bytes | None:
        return self.record.key

    def value(self) -> bytes | None:
        return self.record.value


class MemorySender:
    """The twin of `producers.sender.Sender`: acknowledges at once, in the caller's thread.

    Args:
        topics: the names of the topics that exist.

    Attributes:
        records: all that was sent, in order.
    """

    def __init__(self, topics: Iterable[str]) -> None:
        self.trouble: str | None = None
        self.records: list[StoredRecord] = []
        self._topics = set(topics)
        self._ends: Counter[tuple[str, int]] = Counter()
        self._failures: list[int] = []
        self._closed = False

    def fail_next(self, count: int = 1, *, code: int = KafkaError._MSG_TIMED_OUT) -> None:
        """Let the next deliveries fail with an error of librdkafka's."""
        self._failures += [code] * count

    def topics(self, _timeout_s: float) -> set[str]:
        """The names of all topics."""
        return self._topics

    def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        on_delivery: OnDelivery | None = None,
    ) -> None:
        """Store a record, and call back."""
        if self._closed:
            raise SendError("_DESTROY", "the sender is closed", topic=topic)
        error = KafkaError(self._failures.pop(0)) if self._failures else None
        record = self._store(topic, value, key, headers, failed=error is not None)
        if on_delivery is not None:
            on_delivery(error, _Report(record))

    def offer(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        on_delivery: OnDelivery | None = None,
    ) -> bool:
        """Store a record; there is always room."""
        self.send(topic, value, key=key, headers=headers, on_delivery=on_delivery)
        return True

    def send_all(
        self,
        topic: str,
        records: Iterable[tuple[bytes | None, bytes | None]],
        *,
        headers: Sequence[tuple[str, bytes | None]] = (),
        on_delivery: OnDelivery,
    ) -> None:
        """Store records, each a value and a key, as they come."""
        for value, key in records:
            self.send(topic, value, key=key, headers=headers, on_delivery=on_delivery)

    def serve(self) -> None:
        """Every answer was handed out at once."""

    def flush(self, _timeout_s: float) -> int:
        """Nothing is ever on its way."""
        return 0

    def close(self, _timeout_s: float = 0.0) -> None:
        """Take no more."""
        self._closed = True

    def _store(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
        *,
        failed: bool,
    ) -> StoredRecord:
        partition = zlib.crc32(key or b"") % _PARTITIONS
        record = StoredRecord(topic, partition, self._ends[topic, partition], key, value, tuple(headers))
        if not failed:
            self._ends[topic, partition] += 1
            self.records.append(record)
        return record


class MemoryPublisher(Publisher):
    """A `Publisher` whose topics are lists.

    Args:
        settings: the prefix counts; broker and registry are not asked.
        catalogue: Headrace's own by default.
        topics: names, without the prefix, of topics beyond the catalogue's.
        max_record_bytes: as for `Publisher`.

    Attributes:
        sender: its `records` are the bytes as they would be sent; its `fail_next` lets deliveries fail.
        events: what was handed over, in order.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        catalogue: Catalogue | None = None,
        *,
        topics: Iterable[str] = (),
        max_record_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        chosen, prefix = catalogue or built_in(), settings.prefix if settings else ""
        self.sender = MemorySender(prefix + name for name in (*chosen.topics, *topics))
        self.events: list[Event] = []
        super().__init__(Settings(prefix=prefix), chosen, max_record_bytes=max_record_bytes, outlet=self.sender)

    def send(self, outgoing: Outgoing) -> Receipt:
        """Keep the event, and store its record."""
        receipt = super().send(outgoing)
        self.events.append(outgoing.event)
        return receipt

    def offer(self, outgoing: Outgoing) -> Receipt:
        """As `send`: there is always room."""
        return self.send(outgoing)

    def publish_all(
        self, events: Iterable[E], *, topic: str | None = None, key: KeyOf[E] | None = None, headers: Headers = ()
    ) -> BulkReceipt | None:
        """Keep the events, and store their records."""
        return super().publish_all(self._kept(events), topic=topic, key=key, headers=headers)

    def _kept(self, events: Iterable[E]) -> Iterator[E]:
        for event in events:
            yield event
            self.events.append(event)  # the next one is asked for, so this one was sent
