"""The handle of one published event: settled once, by the broker's answer."""

import asyncio
import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple

from producers.errors import FlushTimeoutError, PublishError

if TYPE_CHECKING:
    from producers.ledger import Ledger


class Delivered(NamedTuple):
    """Where the broker put the record; `topic` is the broker's name of it."""

    topic: str
    partition: int
    offset: int


class Receipt:
    """What became of one event. Every method may be called from any thread; `await receipt` works in any event loop.

    A lock or an event per receipt would cost more than the sending: callbacks wait in a list, and `list.pop` is atomic,
    so each is called once, by whoever takes it out.

    Attributes:
        topic: the topic's name on the broker.
        key: as it is sent.
        event_id: the event's.
        size_bytes: of key, value and headers together.
    """

    __slots__ = ("_callbacks", "_ledger", "_outcome", "event_id", "heaviest", "key", "size_bytes", "topic")

    def __init__(
        self, ledger: "Ledger", *, topic: str, key: bytes | None, event_id: str, size_bytes: int, heaviest: Callable[[], Any]
    ) -> None:
        self.topic = topic
        self.key = key
        self.event_id = event_id
        self.size_bytes = size_bytes
        self.heaviest = heaviest
        self._ledger = ledger
        self._outcome: Delivered | PublishError | None = None
        self._callbacks: list[Callable[[], Any]] = []
