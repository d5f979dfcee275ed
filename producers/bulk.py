"""The handle of many events of one kind: their answers are counted, and each bad one is kept with its event's id."""

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from producers.errors import PublishError, UndeliveredError
from producers.outgoing import Outgoing, Route
from producers.receipt import Answer

REMEMBERED = 100
"""A broker that is away fails every event; beyond a hundred errors the count says as much."""


class BulkReceipt(Answer[int], eq=False, gc=True, kw_only=True):
    """What became of many events: `result()` or `await` give how many there are, once the broker has acknowledged every one.

    Attributes:
        sent: how many were handed over.
        route: which way they go.
        failed: makes the error of a bad answer and a record, and keeps it for `flush`.
    """

    route: Route
    failed: Callable[[Any, Outgoing], PublishError]
    sent: int = 0
    _answers: Iterator[int] = msgspec.field(default_factory=lambda: itertools.count(1))
    _all: int | None = None
    _settled_all: bool = False
    _failure_count: int = 0
    _failures: list[PublishError] = msgspec.field(default_factory=list)
    _lock: Any = msgspec.field(default_factory=threading.Lock)

    def __call__(self, error: Any, message: Any) -> None:
        """The broker's answer for one of the events: the error, or None, and the record with its value()."""
        if error is not None:
            self._keep(error, message)
        self._count()

    @property
    def done(self) -> bool:
        """Whether the broker has answered for every event, or its delivery was given up."""
        return self._settled_all

    def seal(self, sent: int) -> None:
        """No more than these are sent; called once, by the publisher."""
        self.sent = sent
        self._all = sent + 1  # the seal counts as one: an answer alone could be the last before anyone knew it
        self._count()

    def missing(self) -> int:
        """How many events have no answer; all, while more are being sent."""
        return max(1, self.sent)

    def _count(self) -> None:
        if next(self._answers) == self._all:  # atomic: two threads may hear answers at once
            self._settled_all = True
            self._call_back()

    def _keep(self, error: Any, message: Any) -> None:
        key, value = message.key(), message.value()
        event = self.route.way_out.event_of(value)
        failure = self.failed(error, Outgoing(self.route.topic, key, value, (), len(value) + len(key or b""), event))
        with self._lock:
            self._failure_count += 1
            if len(self._failures) < REMEMBERED:
                self._failures.append(failure)

    def _settled(self) -> int:
        if self._failure_count:
            raise UndeliveredError(self._failure_count, self._failures)
        return self.sent
