"""Errands: a letter sent again, then recorded as such; each step acknowledged by the broker before the next."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec

from producers.sender import Sender, SendError
from schemas.settings import Settings
from streams.dead_letters.letters import Letter
from streams.dead_letters.routes import Outgoing
from streams.dead_letters.states import Recorded

AT_ONCE = 100
"""Errands under way. A run that is killed repeats no more than these, and the broker is never waited for."""
_TOLD = 20
_SILENCE_S = 90.0
"""Longer than the producer's delivery timeout, after which every record has its answer."""


def open_sender(settings: Settings) -> Sender:
    """A sender that puts each record in a batch of its own: a batch that is too large fails whole, its small records too."""
    own = {"batch.num.messages": "1", "linger.ms": "0"}
    return Sender(msgspec.structs.replace(settings, kafka={**own, **settings.kafka}), client_id="headrace-dlq")


class Errand(NamedTuple):
    """What is to be done with a letter.

    Attributes:
        letter: the letter.
        state: what is recorded of it then.
        redrives: likewise.
        record: what is sent before that; None where there is only something to record.
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
        failed: not sent, or not recorded.
        reasons: why, of the first 20 that failed.
        is_stopped: whether Ctrl-C ended it before the last errand.
    """

    done: int = 0
    failed: int = 0
    reasons: list[str] = field(default_factory=list)
    is_stopped: bool = False

    def fail(self, letter: Letter, reason: str) -> None:
        """One more that failed."""
        self.failed += 1
        if len(self.reasons) < _TOLD:
            self.reasons.append(f"{letter.id}: {reason}")


class Errands:
    """Runs errands, a hundred at once at most.

    The sender's thread takes the second step when the first is acknowledged, so that nothing waits for the next errand's turn.

    Args:
        sender: the caller closes it.
        states_topic: the broker's name of `headrace.dead-letters`.
        told: called after each errand, in the sender's thread.
    """

    def __init__(self, sender: Sender, states_topic: str, *, told: Callable[[], None] = lambda: None) -> None:
        self.tally = Tally()
        self._sender = sender
        self._states_topic = states_topic
        self._told = told
        self._open = 0
        self._moved = threading.Condition()

    def run(self, errands: Iterable[Errand]) -> Tally:
        """Run them in their order, and wait for the last; Ctrl-C ends it with what is under way done."""
        try:
            for errand in errands:
                self._await(AT_ONCE - 1)
                self._start(errand)
        except KeyboardInterrupt:
            self.tally.is_stopped = True
        finally:
            self._await(0)
        return self.tally

    def _start(self, errand: Errand) -> None:
        with self._moved:
            self._open += 1
        if errand.record is None:
            self._record(errand)
            return
        headers: Any = errand.record.headers  # a header may be null, and librdkafka sends it so
        report = partial(self._sent, errand)
        try:
            topic, key, value = errand.record.topic, errand.record.key, errand.record.value
            self._sender.send(topic, value, key=key, headers=headers, on_delivery=report)
        except SendError as error:
            self._finish(errand, f"not sent: {error.reason} ({error.name})")

    def _sent(self, errand: Errand, error: Any, _message: Any) -> None:
        if error is not None:
            self._finish(errand, f"not sent: {self._why(error)}")
        else:
            self._record(errand)

    def _record(self, errand: Errand) -> None:
        """Write down what was done: from here on another run leaves the letter alone."""
        letter = errand.letter
        recorded = Recorded(
            state=errand.state, redrives=errand.redrives, at_ms=time.time_ns() // 1_000_000,
            letter_offset=letter.offset, letter_partition=letter.partition,
        )  # fmt: skip
        value, key, report = msgspec.json.encode(recorded), str(letter.id).encode(), partial(self._recorded, errand)
        try:
            self._sender.send(self._states_topic, value, key=key, on_delivery=report)
        except SendError as error:
            self._recorded(errand, error, None)

    def _recorded(self, errand: Errand, error: Any, _message: Any) -> None:
        if error is None:
            self._finish(errand, None)
            return
        why = error.reason if isinstance(error, SendError) else self._why(error)
        sent = "sent, but that could not be recorded, so that another run sends it again" if errand.record else ""
        self._finish(errand, f"{sent or 'not recorded'}: {why}")

    def _finish(self, errand: Errand, reason: str | None) -> None:
        with self._moved:
            self._open -= 1
            if reason is None:
                self.tally.done += 1
            else:
                self.tally.fail(errand.letter, reason)
            self._moved.notify_all()
        self._told()

    def _await(self, most: int) -> None:
        """Wait until no more than so many are under way; a silence longer than any answer takes ends it."""
        with self._moved:
            while self._open > most:
                if not self._moved.wait(_SILENCE_S):
                    self.tally.failed += self._open
                    self.tally.reasons.append(f"{self._open} more: the broker never answered")
                    self._open = 0

    def _why(self, error: Any) -> str:
        trouble = f"; {self._sender.trouble}" if self._sender.trouble and error.name().startswith("_") else ""
        return f"{error.str()} ({error.name()}){trouble}"
