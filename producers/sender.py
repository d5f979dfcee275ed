"""Bytes in; acknowledged by the broker, or failed aloud. Publisher and the runtime's outputs both stand on it."""

import atexit
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from producers.answers import Headers, Heard, OnDelivery, Twice, log_failure, unplaced
from producers.client_log import ClientLog, logger, without_detail
from producers.kafka import open_producer
from schemas.errors import HeadraceError
from schemas.settings import Settings

_ANY_PARTITION = -1
_POLL_S = 0.1
_AFTER_PURGE_S = 5.0
SERVE_EVERY = 200
"""Records between two calls of `serve`: it takes as long as a tenth of an event's encoding, and answers come by hundreds."""
_STAND_BACK_S = 0.01
"""Longer than a publishing thread takes for the events between two calls of `serve`, shorter than anyone waits for."""


class SendError(HeadraceError):
    """Raised when a record is refused before it is sent.

    Attributes:
        name: the Kafka error's name, such as "MSG_SIZE_TOO_LARGE".
        reason: the same in words.
        topic: the broker's name of the topic.
    """

    def __init__(self, name: str, reason: str, *, topic: str) -> None:
        self.name = name
        self.reason = reason
        self.topic = topic
        super().__init__(f"{topic}: not sent: {reason} ({name})")


class Sender:
    """An idempotent producer (acks=all) with one thread of its own that hands out the delivery reports.

    Every callback runs in that thread and in no other, so callbacks need no locks among themselves; unless `serve` is called,
    whose caller runs some of them then.
    All methods may be called from any thread.

    Args:
        settings: where the broker is; `KAFKA_*` properties win over those chosen here.
        client_id: the client's name on the broker and in the log.

    Attributes:
        fatal: set once the producer can send nothing any more; None while it can.
        trouble: librdkafka's last complaint, such as a refused connection; it explains a time-out.
    """

    def __init__(self, settings: Settings, *, client_id: str) -> None:
        self.fatal: KafkaError | None = None
        self.trouble: str | None = None
        self._log = ClientLog(client_id)
        self._producer = open_producer(settings, client_id=client_id, log=self._log, on_error=self._on_error)
        self._produce: Callable[..., None] = self._producer.produce
        self._progress = threading.Condition()
        self._closed = False
        self._stopped = False
        self._serving = threading.Lock()
        self._server: int | None = None
        self._served_here = False
        self._thread = threading.Thread(target=self._serve, name=f"{client_id}-deliveries", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # a program that forgets to close must not lose what it sent last

    def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        on_delivery: OnDelivery | None = None,
    ) -> None:
        """Queue a record; `on_delivery(error, message)` is called exactly once, unless this raises. Without it an error is logged.

        Blocks while the queue is full: it empties as the broker acknowledges, at the latest by the delivery timeout.

        Raises:
            SendError: if the record is refused at once: too large, the topic's absence is known, fatal error, closed;
                or if the queue is full and this is called from a callback.
        """
        record = self._record(topic, value, key, tuple(headers), on_delivery)
        if not self._offer(record):
            self._wait_for_room(record)

    def offer(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        on_delivery: OnDelivery | None = None,
    ) -> bool:
        """Queue a record as `send` does; False, and nothing done, where `send` would block."""
        return self._offer(self._record(topic, value, key, tuple(headers), on_delivery))

    def send_all(
        self,
        topic: str,
        records: Iterable[tuple[bytes | None, bytes | None]],
        *,
        headers: Sequence[tuple[str, bytes | None]] = (),
        on_delivery: OnDelivery,
    ) -> None:
        """Queue records, each a value and a key, as they come; each as `send` does, and `serve` in between.

        `produce_batch` was no faster than `produce` (docs/performance.md), and it takes no headers.

        Raises:
            SendError: as `send`; those before it are on their way.
        """
        offer, pairs = self._offer, list(headers) if headers else None
        heard = Heard(on_delivery, tuple(headers), self)
        for number, (value, key) in enumerate(records, start=1):
            record = (topic, value, key, _ANY_PARTITION, heard, None, 0, pairs)
            if not offer(record):
                self._wait_for_room(record)
            if not number % SERVE_EVERY:
                self.serve()

    def send_again(self, message: Any, headers: Headers, then: OnDelivery) -> KafkaError | None:
        """Queue a record once more whose answer, just heard, proves nothing; also while this closes. The error where that fails."""
        place, pairs = message.partition(), list(headers) or None
        try:
            self._produce(message.topic(), message.value(), message.key(), place, Twice(then), None, 0, pairs)
        except BufferError:  # a callback cannot wait for room
            return unplaced()
        except KafkaException as error:
            refusal: KafkaError = error.args[0]
            return refusal
        return None

    def serve(self) -> None:
        """Hand out the delivery reports that have come in, in the caller's thread; never waits.

        Whoever sends much should call it now and then. The sender's thread has to win Python's lock for each report from the
        thread that sends, which keeps it for up to 5 ms, so reports would pile up; it stands back for a while when reports were
        served here.
        """
        if self._in_callback() or not self._serving.acquire(blocking=False):
            return
        self._server = threading.get_ident()
        try:
            self._served_here = True
            served = self._poll(0.0)
        finally:
            self._server = None
            self._serving.release()
        if served:
            self._tell_progress()

    def flush(self, timeout_s: float) -> int:
        """Wait until every record has its delivery report, and give the number of those that still have none."""
        deadline_s = time.monotonic() + timeout_s
        with self._progress:
            while (waiting := len(self._producer)) and (left_s := deadline_s - time.monotonic()) > 0:
                self._progress.wait(min(left_s, _POLL_S))
        return waiting

    def close(self, timeout_s: float = 30.0) -> None:
        """Flush, and end. What is still unacknowledged then fails: its `on_delivery` hears of it before this returns."""
        with self._progress:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.close)
        if unacknowledged := self.flush(timeout_s):
            logger.error("%d records were given up, unacknowledged after %g s", unacknowledged, timeout_s)
            self._producer.purge()
            self.flush(_AFTER_PURGE_S)
        self._stopped = True
        self._thread.join(_AFTER_PURGE_S)

    def topics(self, timeout_s: float) -> dict[str, Any]:
        """Every topic of the broker, by name; asking creates none.

        Raises:
            confluent_kafka.KafkaException: if no broker answers in time.
        """
        found: dict[str, Any] = self._producer.list_topics(timeout=timeout_s).topics
        return found

    def _record(
        self, topic: str, value: bytes | None, key: bytes | None, headers: Headers, on_delivery: OnDelivery | None
    ) -> tuple[Any, ...]:
        """The positional arguments of librdkafka's call: keywords would cost a tenth of the call."""
        heard = Heard(on_delivery or log_failure, headers, self)
        return topic, value, key, _ANY_PARTITION, heard, None, 0, list(headers) or None

    def _offer(self, record: tuple[Any, ...]) -> bool:
        if self._closed or self.fatal is not None:
            self._refuse(record[0])
        try:
            self._produce(*record)
        except BufferError:
            return False
        except KafkaException as error:
            cause = error.args[0]
            raise SendError(cause.name(), cause.str(), topic=record[0]) from error
        return True

    def _wait_for_room(self, record: tuple[Any, ...]) -> None:
        if self._in_callback():  # only its own return can make room
            raise SendError("_QUEUE_FULL", "the queue is full, and a callback cannot wait for itself", topic=record[0])
        with self._progress:
            while not self._offer(record):
                self._progress.wait(_POLL_S)

    def _in_callback(self) -> bool:
        """Whether this is called from a callback."""
        return threading.get_ident() in {self._thread.ident, self._server}

    def _tell_progress(self) -> None:
        with self._progress:
            self._progress.notify_all()

    def _serve(self) -> None:
        while not self._stopped or len(self._producer):
            if self._served_here:
                self._served_here = False
                time.sleep(_STAND_BACK_S)
            elif self._poll(_POLL_S):
                self._tell_progress()

    def _poll(self, timeout_s: float) -> int:
        """Serve what has come in; the number of events served, at least 1 if one of them raised."""
        try:
            served: int = self._producer.poll(timeout_s)
        except Exception as error:
            cause = error.args[0] if isinstance(error, KafkaException) else None
            if isinstance(cause, KafkaError) and cause.fatal():  # confluent-kafka raises it here, past error_cb
                self._on_error(cause)
            else:
                logger.exception("a delivery callback raised; that is its own fault, and the others go on")
            return 1
        return served

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self.fatal = error
            self._log.fatal(error)
            return
        self._log.error(error)
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # the broker's own error, just before it, says more
            self.trouble = without_detail(error.str())

    def _refuse(self, topic: str) -> None:
        if self.fatal is not None:
            raise SendError(self.fatal.name(), f"the producer ended: {self.fatal.str()}", topic=topic)
        raise SendError("_DESTROY", "the sender is closed", topic=topic)
