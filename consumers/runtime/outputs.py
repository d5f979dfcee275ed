"""Results and dead letters: acknowledged by the broker, or failed. Nothing is forgotten between the two."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from consumers.runtime import story
from consumers.runtime.failure import MESSAGE_BYTES, bounded
from consumers.runtime.record import Failed, FailureKind, Record, Result
from producers.sender import Sender, SendError

_TOO_LARGE = "MSG_SIZE_TOO_LARGE"
SOON_MS = 1_000
"""A record that is due so soon is kept in memory: pausing drops what librdkafka has fetched behind it. And a topic's delay that is
longer by so little does not count as longer: a minute's wait is a little less than a minute by the time that it is sent there."""
_LARGE_BYTES = 256 * 1024
"""What design.md allows in a record, and the producer's batch.size: anything below it travels in a batch with others."""


class Ticket:
    """Deliveries that belong together; `settled` is called once, when the broker has answered for all of them.

    The runner's thread expects and seals, the sender's thread delivers: each writes counters of its own.

    Attributes:
        payload: whatever the caller needs again when it is settled.
        failures: what was not delivered, by index.
    """

    def __init__(self, payload: Any, *, settled: Callable[["Ticket"], None]) -> None:
        self.payload = payload
        self.failures: dict[int, Failed] = {}
        self._settled = settled
        self._expected = 0
        self._answered = 0
        self._sealed = False
        self._once = threading.Lock()

    def expect(self, number: int) -> None:
        """So many deliveries more are to come."""
        self._expected += number

    def delivered(self, index: int, size_bytes: int, error: Any, _message: Any) -> None:
        """The broker's answer for a delivery of this index and size; called by the sender's thread."""
        if error is not None:
            self.failures[index] = failure_of_delivery(error.name(), str(error), size_bytes)
        self._answered += 1
        self._check()

    def refused(self, index: int, failure: Failed) -> None:
        """The producer has not even taken a delivery of this index; called by the runner's thread."""
        self.failures[index] = failure
        self._expected -= 1
        self._check()

    def seal(self) -> None:
        """No further delivery will be expected."""
        self._sealed = True
        self._check()

    def _check(self) -> None:
        if self._sealed and self._answered == self._expected and self._once.acquire(blocking=False):
            self._settled(self)


class Outputs:
    """The way out of an agent: result topics and the dead-letter topic.

    Nothing here blocks: what the producer's full queue does not take waits in order, and `pump` offers it again. The
    agent's thread would stop polling otherwise, and lose its membership while a broker is slow.

    Args:
        sender: shared by the agents of the process.
        agent: the agent's name.
        dead_letter_topic: the broker's name of it.
        retry_topics: the broker's names of the retry topics, by their delays in seconds.
    """

    def __init__(
        self, sender: Sender, *, agent: str, dead_letter_topic: str, retry_topics: Mapping[int, str] | None = None
    ) -> None:
        self._sender = sender
        self._agent = agent
        self._dead_letter_topic = dead_letter_topic
        self._retry_topics = retry_topics or {}
        self._waiting: deque[tuple[Ticket, int, Result]] = deque()

    @property
    def congested(self) -> bool:
        """Whether something waits for room in the producer's queue: no more should be handled until there is some."""
        return bool(self._waiting)

    @property
    def fatal(self) -> Any:
        """The producer's fatal error, after which nothing can be sent any more; None while there is none."""
        return self._sender.fatal

    def publish(self, ticket: Ticket, index: int, results: tuple[Result, ...]) -> None:
        """Send a record's results; the ticket hears of each."""
        for result in results:
            self._send(ticket, index, result)

    def dead_letter(self, ticket: Ticket, index: int, record: Record, failure: Failed) -> None:
        """Send a record to the dead-letter topic, byte for byte, with its story in added headers."""
        headers = story.letter(record, failure, agent=self._agent)
        self._send(ticket, index, Result(self._dead_letter_topic, record.value, record.key, headers))

    def retry(self, ticket: Ticket, index: int, record: Record, failure: Failed, *, due_ms: int) -> None:
        """Send a record to the retry topic that it waits in: the longest delay not above what is left, else the shortest."""
        left_s = (due_ms + SOON_MS) / 1000 - time.time()
        delay_s = max((delay for delay in self._retry_topics if delay <= left_s), default=min(self._retry_topics))
        headers = story.retry(record, failure, agent=self._agent, due_ms=due_ms)
        self._send(ticket, index, Result(self._retry_topics[delay_s], record.value, record.key, headers))

    def pump(self) -> None:
        """Offer again what waits, in its order."""
        while self._waiting and self._offer(*self._waiting[0]):
            self._waiting.popleft()

    def _send(self, ticket: Ticket, index: int, result: Result) -> None:
        ticket.expect(1)
        if self._waiting or not self._offer(ticket, index, result):
            self._waiting.append((ticket, index, result))

    def _offer(self, ticket: Ticket, index: int, result: Result) -> bool:
        """Hand a result to the producer, or its refusal to the ticket; False where the queue is full."""
        size_bytes = len(result.value or b"")
        report = partial(ticket.delivered, index, size_bytes)
        try:
            return self._sender.offer(
                result.topic, result.value, key=result.key, headers=result.headers, on_delivery=report
            )
        except SendError as error:
            ticket.refused(index, failure_of_delivery(error.name, str(error), size_bytes))
            return True


def failure_of_delivery(name: str, text: str, size_bytes: int) -> Failed:
    """A failed delivery as the record's failure: too large is the record's fault, all else the broker's.

    A batch that is too large fails whole, since librdkafka never splits one: a small neighbour of what was too large is
    tried again, and so finds itself in another batch.
    """
    if name != _TOO_LARGE:
        kind: FailureKind = "unavailable"
    else:
        kind = "rejected" if size_bytes >= _LARGE_BYTES else "retry"
    error_class = "ResultTooLarge" if name == _TOO_LARGE else "DeliveryFailed"
    return Failed(kind=kind, error_class=error_class, message=bounded(f"{name}: {text}", MESSAGE_BYTES))
