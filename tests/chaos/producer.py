"""The verifiable producer: sends the load at its pace, and remembers what the broker acknowledged, and where."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from producers.sender import Sender, SendError
from tests.chaos.headers import NUMBER
from tests.chaos.load import Sent

_FLUSH_S = 90.0


class Producer:
    """A thread that sends up to a number that the conductor allows, so that faults and load stay side by side.

    Attributes:
        sent: what was handed over, by number.
        acked: numbers that the broker acknowledged.
        places: (epoch, partition, offset) of what was acknowledged, by number.
        refused: errors by number; such a record may stand in the log all the same.
        epoch: how often the topic was made again; offsets of different epochs mean nothing to each other.
        failure: what ended the thread, if anything did.
    """

    def __init__(self, sender: Sender, topic: str, load: Iterator[tuple[Sent, bytes]], *, rate: int) -> None:
        self._sender = sender
        self._topic = topic
        self._load = load
        self._rate = rate
        self._allowed = 0
        self._turn = threading.Condition()
        self._stopping = False
        self._idle = True
        self._kept = 0
        self._next_s = 0.0
        self.done = False
        self.sent: dict[int, Sent] = {}
        self.acked: set[int] = set()
        self.places: dict[int, tuple[int, int, int]] = {}
        self.refused: dict[int, str] = {}
        self.epoch = 0
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Start sending."""
        self._thread.start()

    def allow(self, number: int) -> None:
        """Send up to so many records in all."""
        with self._turn:
            self._allowed = max(self._allowed, number)
            self._turn.notify_all()

    def allow_more(self, records: int) -> None:
        """Send so many more, where all that was allowed is sent."""
        with self._turn:
            if self._idle:
                self._allowed += records
                self._turn.notify_all()

    def hold(self) -> None:
        """Stop sending, and wait until all that was sent is acknowledged; `go_on` ends it."""
        with self._turn:
            self._kept, self._allowed = self._allowed, 0
            self._turn.wait_for(lambda: self._idle or self.done, timeout=30)
        self._sender.flush(_FLUSH_S)

    def go_on(self) -> None:
        """End a hold."""
        self.allow(self._kept)

    @property
    def acknowledged(self) -> int:
        """How many records have their report, whether good or bad."""
        return len(self.acked) + len(self.refused)

    def stop(self) -> None:
        """End, also in the middle of the load."""
        with self._turn:
            self._stopping = True
            self._turn.notify_all()
        if self._thread.ident is not None:
            self._thread.join(30)

    def _run(self) -> None:
        try:
            for sent, value in self._load:
                if not self._await_turn(sent.number):
                    return
                self._send(sent, value)
            self._sender.flush(_FLUSH_S)
        except BaseException as error:
            self.failure = error
        finally:
            self.done = True

    def _await_turn(self, number: int) -> bool:
        """Wait for the number to be allowed, and then for its moment; False when the load is to end."""
        with self._turn:
            if number >= self._allowed and not self._stopping:
                self._idle = True
                self._turn.notify_all()
                self._turn.wait_for(lambda: number < self._allowed or self._stopping)
                self._next_s = time.monotonic()
            self._idle = False
        if self._rate and not self._stopping:
            self._next_s += 1 / self._rate
            time.sleep(max(0.0, self._next_s - time.monotonic()))
        return not self._stopping

    def _send(self, sent: Sent, value: bytes) -> None:
        self.sent[sent.number] = sent
        headers = [(NUMBER, str(sent.number).encode())]
        report = self._report(sent.number, self.epoch)
        try:
            self._sender.send(self._topic, value, key=sent.key.encode(), headers=headers, on_delivery=report)
        except SendError as error:
            self.refused[sent.number] = str(error)

    def _report(self, number: int, epoch: int) -> Callable[[Any, Any], None]:
        def report(error: Any, message: Any) -> None:
            if error is not None:
                self.refused[number] = error.str()
                return
            self.acked.add(number)
            self.places[number] = (epoch, message.partition(), message.offset())

        return report
