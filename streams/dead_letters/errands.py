"""Errands: a letter sent again and recorded as such, in one transaction, by one run at a time."""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec

from producers.sender import SendError
from producers.transactional import SupersededError, TransactionalSender, TransactionFailedError
from schemas.settings import Settings
from streams.dead_letters.letters import Letter
from streams.dead_letters.routes import Outgoing
from streams.dead_letters.states import Recorded

_AT_ONCE = 100
_WITHIN_S = 0.1
"""What a transaction sends is read when it is over: so one holds no more than is sent in this time."""
_LOOK_S = 0.05
_TOLD = 20
_PURGED = frozenset({"_PURGE_QUEUE", "_PURGE_INFLIGHT"})
"""What librdkafka says of those that an aborted transaction takes along."""


def open_sender(settings: Settings, verb: str) -> TransactionalSender:
    """A sender that ends every older run of the same verb, and puts each record in a batch of its own.

    A batch that is too large would fail whole, its small records too.
    """
    own = {"batch.num.messages": "1", "linger.ms": "0"}
    settings = msgspec.structs.replace(settings, kafka={**own, **settings.kafka})
    transactional_id = f"{settings.prefix}headrace-{verb}"
    return TransactionalSender(settings, client_id="headrace-dlq", transactional_id=transactional_id)


class Errand(NamedTuple):
    """What is to be done with a letter.

    Attributes:
        letter: the letter.
        state: what is recorded of it then.
        redrives: likewise.
        record: what is sent with that; None where there is only something to record.
    """

    letter: Letter
    state: Literal["redriven", "discarded"]
    redrives: int
    record: Outgoing | None = None


@dataclass
class Tally:
    """What became of the errands.

    Attributes:
        done: sent, where there was something to send, and recorded.
        failed: neither sent nor recorded.
        reasons: why, of the first 20 that failed.
        stopped: why it ended before the last errand; None where it did not.
    """

    done: int = 0
    failed: int = 0
    reasons: list[str] = field(default_factory=list)
    stopped: str | None = None

    def fail(self, letter: Letter, reason: str) -> None:
        """One more that failed."""
        self.failed += 1
        if len(self.reasons) < _TOLD:
            self.reasons.append(f"{letter.id}: not sent: {reason}")


class _Failure(NamedTuple):
    """A Kafka error's name, and what is told of it."""

    name: str
    told: str


class Errands:
    """Runs errands in transactions of up to a hundred.

    Args:
        sender: the caller closes it.
        states_topic: the broker's name of `headrace.dead-letters`.
        rate: letters a second; None for as fast as they go.
        told: called after each errand.
    """

    def __init__(
        self,
        sender: TransactionalSender,
        states_topic: str,
        *,
        rate: float | None = None,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self.tally = Tally()
        self._sender = sender
        self._states_topic = states_topic
        self._at_once = _AT_ONCE if rate is None else max(1, min(_AT_ONCE, int(rate * _WITHIN_S)))
        self._told = told

    def run(self, errands: Iterable[Errand]) -> Tally:
        """Run them in their order; Ctrl-C ends it with what is under way done."""
        batch: list[Errand] = []
        try:
            for errand in errands:
                batch.append(errand)
                if len(batch) == self._at_once:
                    ready, batch = batch, []
                    self._do(ready)
            self._do(batch)
        except KeyboardInterrupt:
            self.tally.stopped = "stopped"
        except SupersededError:
            self.tally.stopped = "ended by a newer run"
        return self.tally

    def _do(self, batch: list[Errand]) -> None:
        """Do these; what fails by itself is left out, and the others are tried again without it."""
        with _uninterrupted():
            while batch:
                failures = self._attempt(batch)
                for index, errand in enumerate(batch):
                    if index in failures:
                        self.tally.fail(errand.letter, failures[index])
                    elif not failures:
                        self.tally.done += 1
                    if index in failures or not failures:
                        self._told()
                batch = [errand for index, errand in enumerate(batch) if index not in failures] if failures else []

    def _attempt(self, batch: list[Errand]) -> dict[int, str]:
        """Send and record them in one transaction; what failed and why, by index: then nothing of it was done."""
        failures: dict[int, _Failure] = {}
        try:
            with self._sender.transaction():
                for index, errand in enumerate(batch):
                    self._send(errand, partial(self._delivered, failures, index))
                while self._sender.flush(_LOOK_S) and not failures:
                    pass
                if failures:  # at once: the others would wait out their time, and then fail too
                    raise TransactionFailedError("the broker has refused a record")
        except (TransactionFailedError, SendError) as error:
            return _own(failures) or dict.fromkeys(range(len(batch)), str(error))
        return {}

    def _send(self, errand: Errand, report: Callable[[Any, Any], None]) -> None:
        letter, record = errand.letter, errand.record
        recorded = Recorded(
            state=errand.state, redrives=errand.redrives, at_ms=time.time_ns() // 1_000_000,
            letter_offset=letter.offset, letter_partition=letter.partition,
        )  # fmt: skip
        state, name = msgspec.json.encode(recorded), str(letter.id).encode()
        if record is not None:
            headers: Any = record.headers  # a header may be null, and librdkafka sends it so
            self._sender.send(record.topic, record.value, key=record.key, headers=headers, on_delivery=report)
        self._sender.send(self._states_topic, state, key=name, on_delivery=report)

    def _delivered(self, failures: dict[int, _Failure], index: int, error: Any, _message: Any) -> None:
        """Called in the sender's thread, before the transaction is over."""
        if error is not None and error.name() not in _PURGED:
            trouble = f"; {self._sender.trouble}" if self._sender.trouble and error.name().startswith("_") else ""
            failures.setdefault(index, _Failure(error.name(), f"{error.str()} ({error.name()}){trouble}"))


def _own(failures: dict[int, _Failure]) -> dict[int, str]:
    """Those that are a record's own: where the broker has refused one, what became of the others is of that."""
    refused = {index: each.told for index, each in failures.items() if not each.name.startswith("_")}
    return refused or {index: each.told for index, each in failures.items()}


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put Ctrl-C off until what is under way is done; a second one interrupts it."""
    if threading.current_thread() is not threading.main_thread():  # signals are not its business
        yield
        return
    asked: list[int] = []

    def ask(number: int, frame: Any) -> None:
        if asked:
            signal.default_int_handler(number, frame)
        asked.append(number)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt
