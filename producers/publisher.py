"""Events in, acknowledged by the broker or failed aloud."""

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from confluent_kafka import KafkaException

from producers.bulk import BulkReceipt, Feed
from producers.errors import PublishError, UnknownTopicError
from producers.ledger import Ledger, failure_of
from producers.outgoing import MAX_RECORD_BYTES, Desk, Headers, Key, Outgoing, Route, headers_of
from producers.outlet import Outlet
from producers.receipt import Receipt
from producers.sender import SERVE_EVERY, Sender, SendError
from schemas.catalogue import DEFAULT, Catalogue, built_in, load_catalogue
from schemas.codec import Codec
from schemas.event import Event
from schemas.settings import Settings

FLUSH_TIMEOUT_S = 90.0
"""Above delivery.timeout.ms (60 s by default): by then every record has an answer."""
_LOOK_UP_TIMEOUT_S = 2.0
"""A missing topic is found before sending where a broker answers in this time; where none does, by the delivery."""
_LOOK_UP_AGAIN_S = 30.0

E = TypeVar("E", bound=Event)
KeyOf = Callable[[E], Key]


class Publisher:
    """Publishes typed events. Every method may be called from any thread.

    As a context manager it flushes at the end of the block and raises what was not delivered. An error that the block
    itself raised goes first, with the undelivered ones as a note.

    Args:
        settings: broker, registry and prefix, as `schemas.settings.from_environment()` gives them.
        catalogue: topics and schemas; by default Headrace's own, with those of HEADRACE_CATALOGUE where it is set.
        max_record_bytes: the limit of a record in a topic whose configuration names no max.message.bytes.
        outlet: where records go; a `Sender` of its own by default.

    Raises:
        ConfigurationError: if the settings or the catalogue are wrong.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue | None = None,
        *,
        max_record_bytes: int = MAX_RECORD_BYTES,
        outlet: Outlet | None = None,
    ) -> None:
        chosen = catalogue or (built_in() if settings.catalogue == DEFAULT else load_catalogue(settings.catalogue))
        self._names = settings.names
        self._catalogue = chosen
        self._desk = Desk(chosen, _codec(settings, chosen), look_up=self._look_up, max_record_bytes=max_record_bytes)
        self._outlet: Outlet = outlet or Sender(settings, client_id="headrace-publisher")
        self._ledger = Ledger(trouble=lambda: self._outlet.trouble)
        self._seen: set[str] = set()
        self._look_up_from_s = 0.0
        self._unserved = 0

    def publish(self, event: Event, *, topic: str | None = None, key: Key = None, headers: Headers = ()) -> Receipt:
        """Queue an event; blocks only while the queue is full.

        Args:
            event: of a generated record type.
            topic: a topic's name without the prefix; by default the one that carries the event's record.
            key: by default the value of the topic's key field.
            headers: such as traceparent and correlation-id, which agents hand on to their results.

        Returns:
            The handle: `receipt.result()` waits for the broker's answer.

        Raises:
            InvalidEventError: naming the field that does not fit the schema.
            UnknownTopicError: if there is no such topic.
            RecordTooLargeError: naming the field that weighs most.
            DeliveryError: if the publisher can send nothing any more.
            RegistryUnavailableError: if the registry is needed and does not answer.
        """
        return self.send(self._desk.prepare(event, topic, key, headers))

    def publish_many(
        self, events: Iterable[E], *, topic: str | None = None, key: KeyOf[E] | None = None, headers: Headers = ()
    ) -> list[Receipt]:
        """Queue events in their order; all are checked before the first is sent.

        Args:
            events: held in memory together.
            topic: as for `publish`.
            key: gives an event's key; by default the value of the topic's key field.
            headers: of each of them.

        Raises:
            PublishError: as for `publish`; a note says which event it is, from 0.
            InvalidEventError: likewise.
        """
        prepared = []
        for index, event in enumerate(events):
            try:
                prepared.append(self._desk.prepare(event, topic, key(event) if key else None, headers))
            except Exception as error:
                error.add_note(f"event {index} of publish_many; none of them was sent")
                raise
        return [self.send(outgoing) for outgoing in prepared]

    def publish_all(
        self, events: Iterable[E], *, topic: str | None = None, key: KeyOf[E] | None = None, headers: Headers = ()
    ) -> BulkReceipt | None:
        """Queue events of one kind in their order, as they come; blocks while the queue is full, so it holds no more than that.

        Args:
            events: all of one class; they may be without end.
            topic: as for `publish`.
            key: gives an event's key; by default the value of the topic's key field.
            headers: of each of them.

        Returns:
            One receipt for all: each answer is looked at, and `result()` raises what was not delivered, event by event, as
            `flush` does. None where there was no event.

        Raises:
            PublishError: as for `publish`; a note says which event it is, from 0. Those before it are on their way.
            InvalidEventError: likewise; for an event of another class than the first too.
        """
        waiting = iter(events)
        for first in waiting:
            route = self._desk.route(type(first), topic)
            pairs = headers_of(first, headers)
            feed = Feed(itertools.chain((first,), waiting), route, key, pairs)
            return self._send_all(feed, route, pairs)
        return None

    def _send_all(self, feed: Feed, route: Route, headers: Sequence[tuple[str, bytes]]) -> BulkReceipt:
        bulk = self._ledger.enter_bulk(route)
        try:
            self._outlet.send_all(route.topic, feed.records(), headers=headers, on_delivery=bulk)
        except SendError as error:
            failure = failure_of(error.name, error.reason, feed.last())
            failure.add_note(feed.place())
            raise failure from error
        except Exception as error:
            error.add_note(feed.place())
            raise
        finally:
            bulk.seal(feed.sent)
        return bulk

    def check_topic(self, topic: str) -> None:
        """Check that a topic, by its name without the prefix, is on the broker; where none answers, nothing is said.

        Raises:
            UnknownTopicError: if it is not.
        """
        self._look_up(self._names.topic(topic))

    def prepare(self, event: Event, *, topic: str | None = None, key: Key = None, headers: Headers = ()) -> Outgoing:
        """Check and encode an event without sending it; errors as for `publish`."""
        return self._desk.prepare(event, topic, key, headers)

    def send(self, outgoing: Outgoing) -> Receipt:
        """Queue a record that `prepare` has made; blocks while the queue is full."""
        entry = self._ledger.enter(outgoing)
        try:
            self._outlet.send(
                outgoing.topic, outgoing.value, key=outgoing.key, headers=outgoing.headers, on_delivery=entry
            )
        except SendError as error:
            raise self._refused(entry, outgoing, error) from error
        self._unserved += 1  # of several threads one may miss another's; the sender's own thread serves what is left
        if self._unserved >= SERVE_EVERY:
            self._serve()
        return entry

    def offer(self, outgoing: Outgoing) -> Receipt | None:
        """Queue a record that `prepare` has made; None where `send` would block."""
        entry = self._ledger.enter(outgoing)
        try:
            taken = self._outlet.offer(
                outgoing.topic, outgoing.value, key=outgoing.key, headers=outgoing.headers, on_delivery=entry
            )
        except SendError as error:
            raise self._refused(entry, outgoing, error) from error
        self._unserved += 1
        if self._unserved >= SERVE_EVERY:
            self._serve()
        if not taken:
            self._ledger.strike(entry)
            return None
        return entry

    def _refused(self, entry: Receipt, outgoing: Outgoing, error: SendError) -> PublishError:
        self._ledger.strike(entry)
        return failure_of(error.name, error.reason, outgoing)

    def _serve(self) -> None:
        """Look at the answers that have come, every so many records."""
        self._unserved = 0
        self._outlet.serve()

    def flush(self, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Wait until all that was published before has the broker's answer.

        Raises:
            UndeliveredError: if deliveries failed since the last flush; each is raised by one flush only.
            FlushTimeoutError: if answers are missing after `timeout_s` seconds; delivery goes on.
        """
        self._ledger.flush(timeout_s)

    def close(self, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Flush, and end; what is unacknowledged after `timeout_s` seconds has failed.

        Raises:
            UndeliveredError: if deliveries failed since the last flush.
        """
        self._outlet.close(timeout_s)
        self._ledger.flush(0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, raised: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except PublishError as error:
            if raised is None:
                raise
            raised.add_note(f"and at the end of the publisher: {error}")

    def is_warm(self, kind: type[Event], topic: str | None) -> bool:
        """Whether `prepare` will ask neither broker nor registry: this kind of event went this way before."""
        return self._desk.is_warm(kind, topic)

    def _look_up(self, topic: str) -> None:
        """Ask the broker for its topics; if none answers the delivery will tell, and it is not asked again for a while."""
        if topic in self._seen or time.monotonic() < self._look_up_from_s:
            return
        try:
            self._seen = set(self._outlet.topics(_LOOK_UP_TIMEOUT_S))
        except KafkaException:
            self._look_up_from_s = time.monotonic() + _LOOK_UP_AGAIN_S
            return
        if topic not in self._seen:
            bare = self._names.bare(topic)
            known = "" if bare in self._catalogue.topics else f"; the catalogue has no {bare} either"
            message = f"the broker has no topic {topic}{known}. Create the catalogue's topics with: headrace init"
            raise UnknownTopicError(message, topic=bare)


def _codec(settings: Settings, catalogue: Catalogue) -> Codec:
    if settings.registry_url is None:
        return Codec(catalogue.schemas, names=settings.names)
    from schemas.registry import Registry

    return Codec(catalogue.schemas, registry=Registry(settings.registry_url), names=settings.names)
