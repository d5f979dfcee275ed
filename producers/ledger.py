"""What is on its way, and what failed: the memory behind `flush`, so that no delivery error is lost."""

import threading
import time
from collections.abc import Callable
from typing import Any

from producers.errors import DeliveryError, FlushTimeoutError, PublishError, UndeliveredError, UnknownTopicError
from producers.outgoing import Outgoing, too_large
from producers.receipt import Delivered, Receipt

_REMEMBERED = 100
"""A broker that is away fails every event; beyond a hundred errors the count says as much."""
_UNKNOWN_TOPIC = frozenset({"UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"})
_TOO_LARGE = "MSG_SIZE_TOO_LARGE"


class Ledger:
    """Receipts without an answer, and the failures that no `flush` has raised yet.

    Args:
        trouble: gives the client's last complaint, which explains a time-out better than the time-out itself.
    """

    def __init__(self, *, trouble: Callable[[], str | None]) -> None:
        self._open: set[Receipt] = set()
        self._trouble = trouble
        self._failures: list[PublishError] = []
        self._failed = 0
        self._lock = threading.Lock()

    def enter(self, outgoing: Outgoing) -> tuple[Receipt, Callable[[Any, Any], None]]:
        """A receipt for a record, and the callback that settles it with the broker's answer."""
        receipt = Receipt(topic=outgoing.topic, key=outgoing.key, event_id=outgoing.event.id)
        self._open.add(receipt)  # adding to a set is atomic, and so is leaving it

        def answered(error: Any, message: Any) -> None:
            if error is None:
                receipt.settle(Delivered(message.topic(), message.partition(), message.offset()))
            else:
                failure = failure_of(error.name(), error.str(), outgoing, trouble=self._trouble())
                self._remember(failure)
                receipt.settle(failure)
            self._open.discard(receipt)

        return receipt, answered

    def strike(self, receipt: Receipt) -> None:
        """Forget a receipt whose record was refused before it was sent."""
        self._open.discard(receipt)

    def flush(self, timeout_s: float) -> None:
        """Wait for the answers of all that was entered before, and raise the failures, once.

        Raises:
            UndeliveredError: if deliveries failed since the last flush.
            FlushTimeoutError: if answers are missing after `timeout_s` seconds.
        """
        deadline_s = time.monotonic() + timeout_s
        waiting = sum(not receipt.wait(max(0.0, deadline_s - time.monotonic())) for receipt in self._open.copy())
        overdue = FlushTimeoutError(waiting, timeout_s) if waiting else None
        with self._lock:
            failures, failed, self._failures, self._failed = self._failures, self._failed, [], 0
        if failed:
            raise UndeliveredError(failed, failures) from overdue
        if overdue:
            raise overdue

    def _remember(self, failure: PublishError) -> None:
        with self._lock:
            self._failed += 1
            if len(self._failures) < _REMEMBERED:
                self._failures.append(failure)


def failure_of(name: str, reason: str, outgoing: Outgoing, *, trouble: str | None = None) -> PublishError:
    """A Kafka error as the error of an event."""
    if name == _TOO_LARGE:
        return too_large(outgoing, limit_bytes=None)
    if name in _UNKNOWN_TOPIC:
        return UnknownTopicError(f"the broker has no topic {outgoing.topic}. Create it with: headrace init")
    because = f"{reason}; {trouble}" if trouble and name.startswith("_") else reason
    return DeliveryError(name, because, topic=outgoing.topic, event_id=outgoing.event.id)
