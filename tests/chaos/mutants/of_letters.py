"""Mutations of what becomes of results, of failures and of dead letters."""

from typing import Any

import msgspec

from consumers.runtime import settlement, starts
from consumers.runtime.executors import child_process
from consumers.runtime.failure import died
from consumers.runtime.fate import DeadLetter, Done, TryAgain
from consumers.runtime.intake import Intake
from consumers.runtime.outputs import Outputs, Ticket
from consumers.runtime.record import Failed
from consumers.runtime.settlement import Settlement
from consumers.runtime.suspects import MANY_DEATHS

_EVERY = 97


def acknowledge_before_the_result() -> None:
    """Finish a record as soon as its result is handed to the producer, whatever the broker answers."""

    def seal(self: Any) -> None:
        self._sealed = True
        if self._once.acquire(blocking=False):
            self._settled(self)

    Ticket.seal = seal  # type: ignore[method-assign]


def forget_a_result() -> None:
    """Take a result for delivered that was never sent."""
    honest, sent = Outputs.publish, 0

    def publish(self: Any, ticket: Any, index: int, results: Any) -> None:
        nonlocal sent
        sent += 1
        if sent % _EVERY:
            honest(self, ticket, index, results)

    Outputs.publish = publish  # type: ignore[method-assign]


def ignore_failed_dead_letter() -> None:
    """Take a refused dead letter for written."""

    def keep_letter(self: Any, assignment: Any, record: Any, _letter: Any, _refused: Any) -> None:
        assignment.watermark.finish([record.offset])
        assignment.lanes.unhold(record)

    Settlement._keep_letter = keep_letter  # type: ignore[method-assign]


def forget_the_redriven() -> None:
    """Finish what an operator has redriven without handling it."""
    honest = Intake._queue

    def queue(self: Any, assignment: Any, records: Any, aside: Any = None) -> None:
        redriven = {record.offset for record in records if record.redrives}
        honest(self, assignment, records, redriven | (aside or set()))
        assignment.watermark.finish(redriven)

    Intake._queue = queue  # type: ignore[method-assign]


def swallow_poison() -> None:
    """Finish what cannot be decoded without a dead letter."""
    honest = Outputs.dead_letter

    def dead_letter(self: Any, ticket: Any, index: int, record: Any, failure: Any) -> None:
        if failure.kind != "undecodable":
            honest(self, ticket, index, record, failure)

    Outputs.dead_letter = dead_letter  # type: ignore[method-assign]


def trim_the_dead_letter() -> None:
    """Park a record, but not byte for byte."""
    honest = Outputs.dead_letter

    def dead_letter(self: Any, ticket: Any, index: int, record: Any, failure: Any) -> None:
        trimmed = msgspec.structs.replace(record, value=(record.value or b"")[:-1])
        honest(self, ticket, index, trimmed, failure)

    Outputs.dead_letter = dead_letter  # type: ignore[method-assign]


def swallow_errors() -> None:
    """Take a record for done whose handler raised."""
    _decide(lambda outcome, fate: Done() if isinstance(fate, TryAgain) and isinstance(outcome, Failed) else fate)


def charge_a_kill() -> None:
    """Take the kill of a worker for the death of the first record that it had in flight."""
    honest = starts.take_over

    def take_over(said: Any, **facts: Any) -> Any:
        hold = honest(said, **facts)
        return hold if said.hold is None else hold._replace(deaths=MANY_DEATHS)

    def run(_self: Any, parcel: Any) -> Any:
        parcel.chunk.index = 0
        return died(-9)

    starts.take_over = take_over
    child_process.ChildProcess.run = run  # type: ignore[method-assign]


def give_up_at_once() -> None:
    """Dead-letter at the first failure what a second attempt would have healed."""
    _decide(lambda outcome, fate: DeadLetter() if isinstance(fate, TryAgain) and isinstance(outcome, Failed) else fate)


def charge_an_outage() -> None:
    """Dead-letter what fails for a dependency, as if that were the record's own fault."""

    def verdict(outcome: Any, fate: Any) -> Any:
        return DeadLetter() if isinstance(outcome, Failed) and outcome.kind == "unavailable" else fate

    _decide(verdict)


def _decide(verdict: Any) -> None:
    """`Done` after a failure finishes the record silently, as a swallowed exception would."""
    honest, honest_failed = settlement.decide, Settlement._failed

    def decide(outcome: Any, **circumstances: Any) -> Any:
        return verdict(outcome, honest(outcome, **circumstances))

    def failed(self: Any, record: Any, failure: Any, outgoing: Any, again: Any) -> None:
        before = len(outgoing), len(again)
        honest_failed(self, record, failure, outgoing, again)
        if (len(outgoing), len(again)) == before:
            outgoing.append((record, None, ()))

    settlement.decide = decide
    Settlement._failed = failed  # type: ignore[method-assign]
