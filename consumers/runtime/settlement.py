"""From outcomes to finished records: the fate of each, its results or dead letter, and the acknowledgement of both."""

import heapq
import random
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import count
from operator import attrgetter

import msgspec
import structlog

from consumers.runtime.agent import Agent, Order
from consumers.runtime.assignment import Assignment
from consumers.runtime.block import offsets_of
from consumers.runtime.circuit import Circuits
from consumers.runtime.dependencies import Dependencies
from consumers.runtime.executors import Completed
from consumers.runtime.failure import of_dependency
from consumers.runtime.fate import DeadLetter, Fate, TryAgain, decide
from consumers.runtime.outputs import Outputs, Ticket
from consumers.runtime.record import HELD, Failed, Handled, Outcome, Record, Result
from consumers.runtime.stats import Stats

log = structlog.get_logger("headrace.agent")

_RESEND_AFTER_S = 1.0
_elapsed_us, _results = attrgetter("elapsed_us"), attrgetter("results")


@dataclass(frozen=True, slots=True)
class _Letter:
    """A record that goes aside: to the dead-letter topic, or to a retry topic until it is due (ms since the epoch)."""

    failure: Failed
    due_ms: int | None = None


_Outgoing = tuple[Record, _Letter | None, tuple[Result, ...]]


@dataclass(frozen=True, slots=True)
class _Sent:
    """Records whose results or dead letters are on their way; their keys are held until the broker has answered.

    Attributes:
        letters: those records that go aside, by index.
    """

    assignment: Assignment
    records: list[Record]
    letters: dict[int, _Letter]
    results: int


class Settlement:
    """Decides, sends, and finishes records; the runner's thread alone calls it.

    Args:
        agent: from the catalogue.
        outputs: where results and dead letters go.
        circuits: hear what passes, and what fails for a dependency.
        stats: what is counted.
        settled: takes a ticket from the sender's thread to the runner's.
    """

    def __init__(
        self, agent: Agent, outputs: Outputs, circuits: Circuits, stats: Stats, *, settled: Callable[[Ticket], None]
    ) -> None:
        self._agent = agent
        self._dependencies = Dependencies(agent, circuits)
        self._outputs = outputs
        self._stats = stats
        self._settled = settled
        self._aside = agent.order is Order.UNORDERED and agent.batch_records is None
        self._unsent: list[tuple[float, int, Assignment, Record, _Letter]] = []
        self._ties = count()

    def completed(self, completed: Completed) -> None:
        """A chunk is back: its lane goes on, and every record meets its fate."""
        chunk = completed.chunk
        assignment: Assignment = chunk.owner  # type: ignore[assignment]  # the runner makes chunks of assignments only
        assignment.chunks.discard(chunk)
        if not assignment.alive:
            self._stats.discarded += sum(isinstance(outcome, Handled) for outcome in completed.outcomes)
            return
        if not self._finished_silently(assignment, chunk.records, completed.outcomes):
            handled = [outcome for outcome in completed.outcomes if isinstance(outcome, Handled)]
            self._stats.took(Counter(map(_elapsed_us, handled)))
            self._charge(assignment, chunk.records, completed.outcomes)
            self._apply(assignment, [*chunk.records], completed.outcomes)
        assignment.lanes.release(chunk.lane)

    @staticmethod
    def _charge(assignment: Assignment, records: Sequence[Record], outcomes: list[Outcome]) -> None:
        """Note whom child processes died of: the count outlives this worker, in the commit's metadata."""
        if assignment.hold is not None:
            for record, outcome in zip(records, outcomes, strict=True):
                if isinstance(outcome, Failed) and outcome.kind == "died":
                    assignment.suspects.charge(record.offset, record.attempt)

    def _finished_silently(self, assignment: Assignment, records: Sequence[Record], outcomes: list[Outcome]) -> bool:
        """Whether all of them are handled without a result; then they are finished, with no step of Python for each."""
        if outcomes and self._agent.batch_records and outcomes.count(outcomes[0]) == len(outcomes):
            first = outcomes[0]  # a batch has one outcome, many times
            if not isinstance(first, Handled) or first.results:
                return False
            self._stats.took({first.elapsed_us: len(outcomes)})
        elif {*map(type, outcomes)} != {Handled} or any(map(_results, outcomes)):
            return False
        else:
            self._stats.took(Counter(map(_elapsed_us, outcomes)))
        self._stats.handled += len(records)
        self._dependencies.passed(records)
        assignment.watermark.finish(offsets_of(records))
        return True

    def acknowledged(self, ticket: Ticket) -> None:
        """The broker has answered for a ticket's deliveries.

        After a record whose results were refused, the later ones of its key are handled again too, in order: their results
        would otherwise stand before its own.
        """
        sent: _Sent = ticket.payload
        assignment = sent.assignment
        assignment.unacknowledged -= len(sent.records)
        if not assignment.alive:
            return
        failures = self._failures_of(ticket, sent)
        done: list[int] = []
        again: list[tuple[Record, Outcome]] = []
        again_keys: set[Hashable] = set()
        kept_keys: set[Hashable] = set()
        for index, record in enumerate(sent.records):
            failure, key = failures.get(index), assignment.lanes.key_of(record)
            if failure is not None and index in sent.letters:
                self._keep_letter(assignment, record, sent.letters[index], failure)
                kept_keys.add(key)
            elif failure is not None:
                again.append((record, failure))
                again_keys |= {key} if isinstance(self._fate_of(record, failure), TryAgain) else set()
            elif key in again_keys and index not in sent.letters:
                again.append((record, HELD))
            else:
                done.append(record.offset)
        dead = [index for index, letter in sent.letters.items() if letter.due_ms is None]
        self._stats.dead_lettered += sum(index not in failures for index in dead)
        self._stats.results += sent.results if not ticket.failures else 0
        assignment.watermark.finish(done)
        if again:
            self._apply(assignment, [record for record, _ in again], [outcome for _, outcome in again])
        for record in sent.records:
            if not kept_keys or assignment.lanes.key_of(record) not in kept_keys:
                assignment.lanes.unhold(record)

    def _failures_of(self, ticket: Ticket, sent: _Sent) -> dict[int, Failed]:
        """What was not delivered, by index. A batch's results have no single source: one of them failed is all of it."""
        failed = next((failure for index, failure in ticket.failures.items() if index not in sent.letters), None)
        if failed is None or not self._agent.batch_records:
            return ticket.failures
        return {**dict.fromkeys(set(range(len(sent.records))) - set(sent.letters), failed), **ticket.failures}

    def resend(self, now_s: float) -> None:
        """Send again the dead letters that the broker did not take; their source stays uncommitted until it does."""
        while self._unsent and self._unsent[0][0] <= now_s:
            _, _, assignment, record, letter = heapq.heappop(self._unsent)
            if assignment.alive:
                self._send(assignment, [(record, letter, ())])

    def postpone(self, assignment: Assignment, record: Record, failure: Failed, *, due_ms: int) -> None:
        """Send a record of a retry topic on to the next one: it has waited here, and is not due yet."""
        attempted = msgspec.structs.replace(record, attempt=record.attempt - 1)
        self._send(assignment, [(attempted, _Letter(failure, due_ms), ())])

    def _apply(self, assignment: Assignment, records: list[Record], outcomes: list[Outcome]) -> None:
        """Give each record its fate."""
        silent: list[int] = []
        outgoing: list[_Outgoing] = []
        held: list[Record] = []
        again: list[tuple[Record, float]] = []
        sending: set[Hashable] = set()  # keys with a result on its way: what follows it is finished after it
        key_of = assignment.lanes.key_of
        for record, outcome in zip(records, outcomes, strict=True):
            if isinstance(outcome, Handled):
                self._stats.handled += 1
                if outcome.results or (sending and key_of(record) in sending):
                    outgoing.append((record, None, outcome.results))
                    sending.add(key_of(record))
                else:
                    silent.append(record.offset)
            elif isinstance(outcome, Failed):
                self._failed(record, outcome, outgoing, again)
            else:
                held.append(record)
        self._dependencies.passed(
            [record for record, each in zip(records, outcomes, strict=True) if isinstance(each, Handled)]
        )
        if held:
            self._dependencies.unanswered()
        if silent:
            assignment.watermark.finish(silent)
        self._queue_again(assignment, again, held)
        if outgoing:
            self._send(assignment, outgoing)

    def _failed(
        self, record: Record, failure: Failed, outgoing: list[_Outgoing], again: list[tuple[Record, float]]
    ) -> None:
        self._stats.failed += 1
        first_ms = record.first_failure_ms or _now_ms()
        failure = of_dependency(failure, self._agent.dependencies)
        fate = self._fate_of(record, failure, alone=self._dependencies.failed(record, failure))
        place = {
            "agent": self._agent.name,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
        }
        facts = {
            "attempt": record.attempt,
            "kind": failure.kind,
            "error": failure.error_class,
            "message": failure.message,
        }
        if isinstance(fate, DeadLetter):
            log.warning("dead_lettered", **place, **facts)
            outgoing.append((msgspec.structs.replace(record, first_failure_ms=first_ms), _Letter(failure), ()))
        elif isinstance(fate, TryAgain):
            log.info("retried", **place, **facts, delay_s=round(fate.delay_s, 3))
            self._stats.retried += fate.counted
            self._stats.waited += not fate.counted
            if fate.aside:
                letter = _Letter(failure, _now_ms() + int(fate.delay_s * 1000))
                outgoing.append((msgspec.structs.replace(record, first_failure_ms=first_ms), letter, ()))
                return
            attempt = record.attempt + fate.counted
            again.append((msgspec.structs.replace(record, attempt=attempt, first_failure_ms=first_ms), fate.delay_s))

    def _fate_of(self, record: Record, failure: Failed, *, alone: bool = False) -> Fate:
        failing_for_ms = _now_ms() - record.first_failure_ms if record.first_failure_ms else 0
        return decide(
            failure,
            attempt=record.attempt,
            failing_for_s=failing_for_ms / 1000,
            policy=self._agent.retry,
            draw=random.random(),  # noqa: S311  jitter is no secret
            aside=self._aside,
            alone=alone,
        )

    @staticmethod
    def _queue_again(assignment: Assignment, again: list[tuple[Record, float]], held: list[Record]) -> None:
        """Park each failed record with the held ones of its key; what else was held goes back to its queue's head."""
        lanes, now_s = assignment.lanes, time.monotonic()
        for record, delay_s in again:
            key = lanes.key_of(record)
            followers = [other for other in held if lanes.key_of(other) == key]
            held = [other for other in held if lanes.key_of(other) != key]
            lanes.park([record, *followers], until_s=now_s + delay_s)
        if held:
            lanes.put_back(held)

    def _send(self, assignment: Assignment, outgoing: list[_Outgoing]) -> None:
        records = [record for record, _, _ in outgoing]
        for record in records:
            assignment.lanes.hold(record)
        letters = {index: letter for index, (_, letter, _) in enumerate(outgoing) if letter is not None}
        results = sum(len(results) for _, _, results in outgoing)
        assignment.unacknowledged += len(records)
        ticket = Ticket(_Sent(assignment, records, letters, results), settled=self._settled)
        for index, (record, letter, made) in enumerate(outgoing):
            if letter is None:
                self._outputs.publish(ticket, index, made)
            elif letter.due_ms is None:
                self._outputs.dead_letter(ticket, index, record, letter.failure)
            else:
                self._outputs.retry(ticket, index, record, letter.failure, due_ms=letter.due_ms)
        ticket.seal()

    def _keep_letter(self, assignment: Assignment, record: Record, letter: _Letter, refused: Failed) -> None:
        log.error(
            "dead_letter_refused" if letter.due_ms is None else "retry_refused",
            agent=self._agent.name,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=refused.message,
            meaning="the record stays uncommitted, and its letter is sent again",
            remedy="headrace init creates missing topics; headrace doctor checks the rights",
        )
        due_s = time.monotonic() + _RESEND_AFTER_S
        heapq.heappush(self._unsent, (due_s, next(self._ties), assignment, record, letter))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
