"""What is on its way, and what failed: the memory behind `flush`, so that no delivery error is lost."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from producers.bulk import REMEMBERED, BulkReceipt
from producers.errors import DeliveryError, FlushTimeoutError, PublishError, UndeliveredError, UnknownTopicError
from producers.outgoing import Outgoing, Route, too_large
from producers.receipt import Receipt

_UNKNOWN_TOPIC = frozenset({"UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"})
_TOO_LARGE = "MSG_SIZE_TOO_LARGE"


class Ledger:
    """Receipts without an answer, and the failures that no `flush` has raised yet.

    Args:
        trouble: gives the client's last complaint, which explains a time-out better than the time-out itself.

    Attributes:
        open: what has no answer yet. Adding to a set is atomic, and so is leaving it.
    """

    def __init__(self, *, trouble: Callable[[], str | None]) -> None:
        self.open: set[Receipt | BulkReceipt] = set()
        self._trouble = trouble
        self._failures: list[PublishError] = []
        self._failed = 0
        self._lock = threading.Lock()

    def enter(self, outgoing: Outgoing) -> "Entry":
        """The receipt of a record, which is the callback for the broker's answer too."""
        event: Any = outgoing.event
        entry = Entry(topic=outgoing.topic, key=outgoing.key, event_id=event.event_id, ledger=self, outgoing=outgoing)
        self.open.add(entry)
        return entry

    def enter_bulk(self, route: Route) -> BulkReceipt:
        """The receipt of many records of one kind, which is the callback for each of their answers too."""
        bulk = BulkReceipt(route=route, failed=self.failure)
        self.open.add(bulk)
        bulk.when_done(partial(self.open.discard, bulk))
        return bulk

    def failure(self, error: Any, outgoing: Outgoing) -> PublishError:
        """A bad answer as the event's error, kept for the next flush."""
        failure = failure_of(error.name(), error.str(), outgoing, trouble=self._trouble())
        with self._lock:
            self._failed += 1
            if len(self._failures) < REMEMBERED:
                self._failures.append(failure)
        return failure

    def strike(self, receipt: Receipt) -> None:
        """Forget a receipt that has its answer, or whose record was refused before it was sent."""
        self.open.discard(receipt)

    def flush(self, timeout_s: float) -> None:
        """Wait for the answers of all that was entered before, and raise the failures, once.

        Raises:
            UndeliveredError: if deliveries failed since the last flush.
            FlushTimeoutError: if answers are missing after `timeout_s` seconds.
        """
        deadline_s = time.monotonic() + timeout_s
        waiting = sum(
            0 if answer.wait(max(0.0, deadline_s - time.monotonic())) else answer.missing()
            for answer in self.open.copy()
        )
        overdue = FlushTimeoutError(waiting, timeout_s) if waiting else None
        with self._lock:
            failures, failed, self._failures, self._failed = self._failures, self._failed, [], 0
        if failed:
            raise UndeliveredError(failed, failures) from overdue
        if overdue:
            raise overdue


class Entry(Receipt, eq=False, gc=False, kw_only=True):
    """A receipt in a ledger. One object an event: a closure and a tuple beside it would double what the event costs here."""

    ledger: Ledger | None = None
    outgoing: Outgoing | None = None

    def __call__(self, error: Any, message: Any) -> None:
        """The broker's answer: the error, or None, and the record, which says its partition() and offset()."""
        ledger, outgoing = self.ledger, self.outgoing
        if ledger is None or outgoing is None:
            return
        if error is None:
            self._partition, self._offset = message.partition(), message.offset()
            if self._callbacks is not None:
                self._call_back()
        else:
            self.settle(ledger.failure(error, outgoing))
        ledger.open.discard(self)
        self.ledger = self.outgoing = None  # who keeps the receipt keeps no record


def failure_of(name: str, reason: str, outgoing: Outgoing, *, trouble: str | None = None) -> PublishError:
    """A Kafka error as the error of an event."""
    if name == _TOO_LARGE:
        return too_large(outgoing, limit_bytes=None)
    if name in _UNKNOWN_TOPIC:
        return UnknownTopicError(f"the broker has no topic {outgoing.topic}. Create it with: headrace init")
    because = f"{reason}; {trouble}" if trouble and name.startswith("_") else reason
    return DeliveryError(name, because, topic=outgoing.topic, event_id=outgoing.event.id)
