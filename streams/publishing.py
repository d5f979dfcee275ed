"""`headrace publish` without its options: lines in, receipts out, what is wrong told by line."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from producers import Publisher, PublishError, Receipt
from producers.lines import LineReader
from producers.outgoing import Key, Outgoing
from schemas.errors import InvalidEventError
from schemas.event import Event

T = TypeVar("T")
_AHEAD = 20_000
"""Receipts held back until their turn; it keeps librdkafka's queue busy and the memory bounded."""


@dataclass
class Tally:
    """What became of the lines so far."""

    delivered: int = 0
    invalid: int = 0
    undelivered: int = 0

    @property
    def failed(self) -> int:
        """Lines that are not in the topic."""
        return self.invalid + self.undelivered


@dataclass
class Feed:
    """Publishes the lines of one input to one topic.

    Attributes:
        publisher: the caller closes it.
        reader: of the topic's record.
        topic: its name in the catalogue.
        key_field: keys the records; None for the topic's own key field.
        complain: told of a line's fault, by its number from 1.
        acknowledged: told of each receipt with its line's number, in the order of the lines.
        tally: counts.
    """

    publisher: Publisher
    reader: LineReader
    topic: str
    key_field: str | None
    complain: Callable[[int, str], None]
    acknowledged: Callable[[int, Receipt], None]
    tally: Tally = field(default_factory=Tally)
    _waiting: deque[tuple[int, Receipt]] = field(default_factory=deque)

    def run(self, lines: Iterable[bytes], *, rate: float | None) -> None:
        """Publish line by line, at most `rate` a second; a bad one does not stop the rest."""
        prepared = self.prepared(lines)
        for number, outgoing in paced(prepared, rate) if rate else prepared:
            self._send(number, outgoing)

    def run_strictly(self, lines: Iterable[bytes], *, rate: float | None) -> None:
        """Publish all lines, or none when one of them is bad; they are held in memory together."""
        prepared = list(self.prepared(lines))
        if not self.tally.invalid:
            for number, outgoing in paced(prepared, rate) if rate else prepared:
                self._send(number, outgoing)

    def finish(self) -> None:
        """Wait for the receipts that are left, and tell them."""
        self._settle(leave=0)

    def prepared(self, lines: Iterable[bytes]) -> Iterator[tuple[int, Outgoing]]:
        """The records of the good lines, with their numbers; blank lines are passed over."""
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                event = self.reader.event(line)
                outgoing = self.publisher.prepare(event, topic=self.topic, key=self._key(event))
            except (InvalidEventError, PublishError) as error:
                self.tally.invalid += 1
                self.complain(number, str(error))
            else:
                yield number, outgoing

    def _key(self, event: Event) -> Key:
        value = getattr(event, self.key_field) if self.key_field else None
        return value if value is None or isinstance(value, bytes) else str(value)

    def _send(self, number: int, outgoing: Outgoing) -> None:
        self._waiting.append((number, self.publisher.send(outgoing)))
        self._settle(leave=_AHEAD)

    def _settle(self, *, leave: int) -> None:
        """Report the receipts that are answered, in order; wait while more than `leave` are not."""
        while self._waiting and (self._waiting[0][1].done or len(self._waiting) > leave):
            number, receipt = self._waiting.popleft()
            try:
                receipt.result()
            except PublishError as error:
                self.tally.undelivered += 1
                self.complain(number, str(error))
            else:
                self.tally.delivered += 1
                self.acknowledged(number, receipt)


def paced(
    items: Iterable[T],
    rate: float,
    *,
    now_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[T]:
    """The same items, at most `rate` a second; one that is late does not make the next ones hurry."""
    due_s = now_s()
    for item in items:
        if (early_s := due_s - now_s()) > 0:
            sleep(early_s)
        due_s = max(due_s, now_s()) + 1 / rate
        yield item
