"""What can go wrong between an event and the broker's acknowledgement."""

from collections.abc import Sequence
from typing import ClassVar

from schemas.errors import HeadraceError, TimedOutError


class PublishError(HeadraceError):
    """Raised when an event was not published; each of its kinds says why."""


class UnknownTopicError(PublishError):
    """Raised when no topic of this name is on the broker, or the catalogue has none for the event.

    Attributes:
        topic: the topic's name in the catalogue, without the prefix; empty when none could be chosen.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, topic: str = "") -> None:
        self.topic = topic
        super().__init__(message)


class RecordTooLargeError(PublishError):
    """Raised when a record is beyond the topic's limit.

    Attributes:
        topic: the topic's name on the broker.
        size_bytes: of key, value and headers together.
        limit_bytes: what the topic takes; None when the broker refused it and did not say.
        field: the field that weighs most.
    """

    def __init__(self, *, topic: str, size_bytes: int, limit_bytes: int | None, field: str, field_bytes: int) -> None:
        self.topic = topic
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        self.field = field
        limit = (
            "the broker's limit (max.message.bytes)" if limit_bytes is None else f"the limit of {limit_bytes:,} bytes"
        )
        heaviest = f"; the field {field} alone has {field_bytes:,}" if field else ""
        remedy = "put the payload into the object store and publish its reference"
        super().__init__(f"{topic}: the record has {size_bytes:,} bytes, beyond {limit}{heaviest}: {remedy}")


class DeliveryError(PublishError):
    """Raised when the broker did not acknowledge a record: it may or may not stand in the topic.

    Attributes:
        name: the Kafka error's name, such as "_MSG_TIMED_OUT".
        topic: the topic's name on the broker.
        event_id: of the event that was not delivered.
    """

    def __init__(self, name: str, reason: str, *, topic: str, event_id: str) -> None:
        self.name = name
        self.topic = topic
        self.event_id = event_id
        super().__init__(f"{topic}: event {event_id} was not delivered: {reason} ({name})")


class UndeliveredError(PublishError):
    """Raised by `flush` and at the end of a `with` block when deliveries failed since the last `flush`.

    Attributes:
        count: how many.
        failures: the first of them, at most 100; every receipt has its own.
    """

    def __init__(self, count: int, failures: Sequence[PublishError]) -> None:
        self.count = count
        self.failures = tuple(failures)
        events = "1 event was" if count == 1 else f"{count:,} events were"
        super().__init__(f"{events} not delivered; the first: {failures[0]}")


class FlushTimeoutError(PublishError, TimedOutError):
    """Raised when events are still unacknowledged after the time that `flush` or `result` was given.

    Attributes:
        count: how many; they are still being sent.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, count: int, timeout_s: float) -> None:
        self.count = count
        events = "1 event is" if count == 1 else f"{count:,} events are"
        super().__init__(
            f"{events} still unacknowledged after {timeout_s:g} s; delivery goes on until delivery.timeout.ms"
        )
