"""The handle of what was published: settled once, by the broker's answer."""

import asyncio
import threading
from collections.abc import Callable, Generator
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from producers.errors import FlushTimeoutError, PublishError


class Delivered(NamedTuple):
    """Where the broker put the record; `topic` is the broker's name of it."""

    topic: str
    partition: int
    offset: int


T = TypeVar("T")

_callbacks_lock = threading.Lock()
"""For the first callback of a receipt, whichever; few receipts get one."""


class Answer(msgspec.Struct, Generic[T], eq=False, gc=False):
    """Something that the broker answers once. Every method may be called from any thread; `await` works in any event loop.

    A lock, an event or a list per receipt would cost more than the sending does, and so would the garbage collector's looks at
    a hundred thousand of them. So callbacks wait in a list that the first one makes, and `list.pop`, which is atomic, hands each
    to one thread only.
    """

    _callbacks: list[Callable[[], Any]] | None = None

    @property
    def done(self) -> bool:
        """Whether the broker has answered, or the delivery was given up."""
        raise NotImplementedError

    def result(self, timeout_s: float | None = None) -> T:
        """The answer; waits for it, without a limit when `timeout_s` is None.

        Raises:
            PublishError: if the broker's answer was a bad one.
            FlushTimeoutError: if there is no answer within `timeout_s` seconds; the delivery goes on.
        """
        if not self.wait(timeout_s):
            raise FlushTimeoutError(self.missing(), timeout_s or 0.0)
        return self._settled()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the broker's answer, good or bad; False when there is none within `timeout_s` seconds."""
        if not self.done:
            answered = threading.Event()
            self.when_done(answered.set)
            return answered.wait(timeout_s)
        return True

    def when_done(self, callback: Callable[[], Any]) -> None:
        """Call back once there is an answer: in the thread that heard it, or here and now if there is one already."""
        with _callbacks_lock:
            if self._callbacks is None:
                self._callbacks = []
            self._callbacks.append(callback)
        if self.done:
            self._call_back()

    def __await__(self) -> Generator[Any, None, T]:
        if not self.done:
            loop = asyncio.get_running_loop()
            answered: asyncio.Future[None] = loop.create_future()
            self.when_done(lambda: _wake(loop, answered))
            yield from answered
        return self._settled()

    def _call_back(self) -> None:
        while self._callbacks:
            try:
                callback = self._callbacks.pop()
            except IndexError:  # another thread has taken the last one
                return
            callback()

    def missing(self) -> int:
        """How many events have no answer."""
        raise NotImplementedError

    def _settled(self) -> T:
        raise NotImplementedError


class Receipt(Answer[Delivered], eq=False, gc=False, kw_only=True):
    """What became of one event: `result()` or `await` give where the broker put the record.

    Attributes:
        topic: the topic's name on the broker.
        key: as it is sent.
        event_id: the event's.
    """

    topic: str
    key: bytes | None
    event_id: str
    _failure: PublishError | None = None
    _partition: int = -1
    _offset: int | None = None

    def __repr__(self) -> str:
        outcome = self._failure or (self._place() if self.done else None)
        return f"Receipt({self.topic!r}, event_id={self.event_id!r}, outcome={outcome!r})"

    @property
    def done(self) -> bool:
        """Whether the broker has answered, or the delivery was given up."""
        return self._offset is not None or self._failure is not None

    def settle(self, outcome: Delivered | PublishError) -> None:
        """The answer; called once, by the publisher."""
        if isinstance(outcome, Delivered):
            _, self._partition, self._offset = outcome
        else:
            self._failure = outcome
        if self._callbacks is not None:
            self._call_back()

    def missing(self) -> int:
        """One event."""
        return 1

    def _place(self) -> Delivered:
        return Delivered(self.topic, self._partition, self._offset or 0)

    def _settled(self) -> Delivered:
        # A raised error collects the tracebacks of every raise: each caller gets the same one, as a Future gives it.
        if self._failure is not None:
            raise self._failure
        return self._place()


def _wake(loop: asyncio.AbstractEventLoop, answered: "asyncio.Future[None]") -> None:
    def settle() -> None:
        if not answered.done():  # cancelled while it waited
            answered.set_result(None)

    if not loop.is_closed():  # who waited in a loop that has ended waits no more; the receipt keeps the answer
        loop.call_soon_threadsafe(settle)
