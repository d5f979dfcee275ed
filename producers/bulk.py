"""The handle of many events of one kind: their answers are counted, and each bad one is kept with its event's id."""

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from producers.errors import PublishError, UndeliveredError
from producers.outgoing import Key, Outgoing, Route, key_of, outgoing_of, too_large
from producers.receipt import Answer
from schemas.errors import InvalidEventError

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
    _answered: int = 0
    _all: int | None = None
    _settled_all: bool = False
    _failure_count: int = 0
    _failures: list[PublishError] = msgspec.field(default_factory=list)
    _lock: Any = msgspec.field(default_factory=threading.Lock)

    def __call__(self, error: Any, message: Any) -> None:
        """The broker's answer for one of the events: the error, or None, and the record with its value()."""
        try:
            if error is not None:
                self._keep(error, message)
        finally:
            self._answered = answered = next(self._answers)  # atomic: two threads may hear answers at once
            if answered == self._all:
                self._end()

    @property
    def done(self) -> bool:
        """Whether the broker has answered for every event, or its delivery was given up."""
        return self._settled_all

    def seal(self, sent: int) -> None:
        """No more than these are sent; called once, by the publisher."""
        self.sent = sent
        self._all = sent + 1  # the seal counts as one: an answer alone could be the last before anyone knew it
        self._answered = answered = next(self._answers)
        if answered == self._all:
            self._end()

    def missing(self) -> int:
        """How many events have no answer; while more are being sent nobody knows, and it says 1."""
        return 1 if self._all is None else self._all - self._answered

    def _end(self) -> None:
        self._settled_all = True
        self._call_back()

    def _keep(self, error: Any, message: Any) -> None:
        with self._lock:
            self._failure_count += 1
        key, value = message.key(), message.value()
        event = self.route.way_out.event_of(value)
        failure = self.failed(error, outgoing_of(event, self.route.topic, key, value, ()))
        if len(self._failures) < REMEMBERED:
            self._failures.append(failure)

    def _settled(self) -> int:
        if self._failure_count:
            raise UndeliveredError(self._failure_count, self._failures)
        return self.sent


class Feed:
    """Checked and encoded events of one kind, one after another, as a sender takes them.

    Args:
        events: all of the route's class.
        route: where they go.
        key: gives an event's key; the route's field does where there is none.
        headers: of each.

    Attributes:
        event: the last that was taken.
        sent: how many the sender has done with.
    """

    def __init__(
        self,
        events: Iterable[Any],
        route: Route,
        key: Callable[[Any], Key] | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> None:
        self.event: Any = None
        self.sent = 0
        self._events = events
        self._route = route
        self._key = key
        self._headers = headers

    def records(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Value and key of each.

        Raises:
            InvalidEventError: naming the field that does not fit, or for an event of another class.
            RecordTooLargeError: naming the field that weighs most.
        """
        route, key_by = self._route, self._key
        kind, encode, key_field = route.way_out.kind, route.encode, route.key_field if key_by is None else None
        room_bytes = route.limit_bytes - sum(len(name) + len(text) for name, text in self._headers)
        for number, event in enumerate(self._events, start=1):
            self.event = event
            if type(event) is not kind:
                raise InvalidEventError(f"a {type(event).__name__} among events of {kind.__name__}")
            value = encode(event)
            found = getattr(event, key_field) if key_field else None
            # A text field was encoded just now, as part of the value: here it cannot fail, nor needs a call.
            key = found.encode() if type(found) is str else key_of(event, key_field, key_by(event) if key_by else None)
            if len(value) + (len(key) if key else 0) > room_bytes:
                raise too_large(self.last(), limit_bytes=route.limit_bytes)
            yield value, key
            self.sent = number

    def last(self) -> Outgoing:
        """The record of the last event."""
        key = key_of(self.event, self._route.key_field, self._key(self.event) if self._key else None)
        return outgoing_of(self.event, self._route.topic, key, self._route.encode(self.event), self._headers)

    def place(self) -> str:
        """Which event it is, for an error."""
        return f"event {self.sent} of publish_all; the {self.sent} before it are on their way"
