"""From what the consumer polled to records in their lanes; events of the log's end and errors are told apart here."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby, repeat
from operator import attrgetter
from typing import Any

import msgspec
import structlog
from confluent_kafka import KafkaError, KafkaException, Message

from consumers.runtime import story
from consumers.runtime.agent import Agent
from consumers.runtime.ahead import Ahead
from consumers.runtime.assignment import Assignment
from consumers.runtime.bounds import Bound
from consumers.runtime.failure import PROCESS_DIED
from consumers.runtime.membership import Membership
from consumers.runtime.record import Record
from consumers.runtime.stats import Stats
from consumers.runtime.waiting import Retried, Waiting

log = structlog.get_logger("headrace.agent")

_SAY_AGAIN_S = 30.0
_offset, _value = attrgetter("offset"), attrgetter("value")


class Intake:
    """Cuts polled messages by partition; keeps what is not owned any more out.

    Args:
        agent: from the catalogue.
        membership: what is owned.
        waiting: takes records of retry topics.
        stats: learns how large records are.
        ahead: decodes records that come together; None where that is left to the executor.
    """

    def __init__(
        self, agent: Agent, membership: Membership, waiting: Waiting, stats: Stats, *, ahead: Ahead | None
    ) -> None:
        self._agent = agent
        self._ahead = ahead
        self._waiting = waiting
        self._stats = stats
        self._membership = membership
        self._said: dict[str, float] = {}

    def accept(self, messages: list[Any]) -> list[tuple[str, int]]:
        """Queue the records.

        Returns:
            Partitions whose offset the broker says is out of its log.

        Raises:
            KafkaException: for an error after which the consumer cannot go on.
        """
        good, out_of_log = messages, list[tuple[str, int]]()
        if any(map(Message.error, messages)):
            good, out_of_log = self._without_events(messages)
        for place, of_place in groupby(good, _place_of):
            self._take(place, list(of_place))
        return out_of_log

    def _without_events(self, messages: list[Any]) -> tuple[list[Any], list[tuple[str, int]]]:
        """The records among what was polled, and the partitions whose offset is out of their log."""
        records, out_of_log = [], []
        for message in messages:
            error = message.error()
            if error is None:
                records.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._note_end(message)
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                out_of_log.append((message.topic(), message.partition()))
            elif error.fatal() or error.code() == KafkaError._FATAL:  # a consumer's fatal error says fatal() False
                raise KafkaException(error)
            else:
                self.tell(error)
        return records, out_of_log

    def _take(self, place: tuple[str, int], messages: list[Message]) -> None:
        assignment = self._membership.assignments.get(place)
        # A revocation can come between poll() and the consume() after it: those records are another's now.
        if assignment is None or assignment.quiet:
            return
        if assignment.retry_delay_s is None:
            records = self._records_of(place, messages)
            if assignment.suspects_until > records[0].offset or assignment.deaths:
                records = [assignment.examined(record) for record in records]
            self._queue(assignment, records)
        else:
            retried = [retry_of(message) for message in messages]
            retried = [replace(each, record=assignment.examined(each.record)) for each in retried]
            self._waiting.take(assignment, retried, self._queue)

    def _records_of(self, place: tuple[str, int], messages: list[Message]) -> list[Record]:
        """Many messages of one partition as records: column by column, in C."""
        topic, partition = place
        values = [*map(Message.value, messages)]
        events = self._ahead.events(values) if self._ahead is not None else None
        raw_headers = [*map(Message.headers, messages)]
        columns = (
            repeat(topic),
            repeat(partition),
            map(Message.offset, messages),
            [timestamp_ms for _, timestamp_ms in map(Message.timestamp, messages)],
            map(Message.key, messages),
            values,
            [tuple(headers) if headers else () for headers in raw_headers] if any(raw_headers) else repeat(()),
        )
        if events is None:
            return [*map(Record, *columns)]
        return [*map(Record, *columns, repeat(1), repeat(0), repeat(None), repeat(0), events)]

    def tell(self, error: KafkaError) -> None:
        """Say an error once in a while: librdkafka repeats it until it is over, and goes on by itself."""
        now_s, name = time.monotonic(), error.name()
        if now_s - self._said.get(name, float("-inf")) >= _SAY_AGAIN_S:
            self._said[name] = now_s
            log.warning("broker_says", agent=self._agent.name, reason=error.str(), code=name)

    def _note_end(self, message: Any) -> None:
        assignment = self._membership.assignments.get((message.topic(), message.partition()))
        if assignment is not None and not assignment.quiet:  # what waits for its time lies before the end
            assignment.end = message.offset() if assignment.bound is None else assignment.bound.until
            self._rest(assignment)

    def _queue(self, assignment: Assignment, records: list[Record], aside: set[int] | None = None) -> None:
        """Note records as delivered, and lane them; those whose offsets are in `aside` are somebody else's business."""
        highest = assignment.watermark.highest
        if records and records[0].offset < highest:
            records = [record for record in records if record.offset >= highest]
        if assignment.bound is not None:
            records = self._within(assignment, assignment.bound, records)
        assignment.watermark.deliver([*map(_offset, records)])
        done = [record.offset for record in records if assignment.is_done(record.offset)] if assignment.done else []
        if done:  # by the partition's last owner, behind a record that it had not finished
            assignment.watermark.finish(done)
            records = [record for record in records if not assignment.is_done(record.offset)]
        if aside:
            records = [record for record in records if record.offset not in aside]
        values = [*map(_value, records)]
        if None in values and not self._agent.tombstones and self._agent.batch_records is None:
            records = _wanted(assignment, records, lambda record: record.value is not None)
        if assignment.bound is not None and assignment.bound.wanted is not None:
            records = _wanted(assignment, records, assignment.bound.wanted)
        self._rest(assignment)
        assignment.lanes.add(records)
        if values:
            self._stats.sized(sum(map(len, filter(None, values))), len(values))

    @staticmethod
    def _within(assignment: Assignment, bound: Bound, records: list[Record]) -> list[Record]:
        """What lies within a replay's range, with its mark; the first record past its end ends the partition."""
        within = [record for record in records if record.offset < bound.until]
        if len(within) < len(records):
            assignment.end = bound.until
        return [msgspec.structs.replace(record, headers=bound.marked(record.headers)) for record in within]

    def _rest(self, assignment: Assignment) -> None:
        """Fetch no more from a partition of which a replay has all that it wants."""
        if assignment.exhausted:
            self._membership.set_pauses()


def _place_of(message: Any) -> tuple[str, int]:
    return message.topic(), message.partition()


def _wanted(assignment: Assignment, records: list[Record], wanted: Callable[[Record], bool]) -> list[Record]:
    """Those that a handler is to have; the others are finished."""
    chosen = [wanted(record) for record in records]
    if not all(chosen):
        passed_over = [record.offset for record, take in zip(records, chosen, strict=True) if not take]
        assignment.watermark.finish(passed_over)
    return [record for record, take in zip(records, chosen, strict=True) if take]


def retry_of(message: Any) -> Retried:
    """A message of a retry topic, as it was before it came there, and when it is to be tried again."""
    record = record_of(message)
    came = story.came(record.headers)
    again = msgspec.structs.replace(
        record,
        headers=came.own_headers,
        attempt=came.attempts + 1,
        first_failure_ms=came.first_failure_ms,
        origin=came.origin,
        redrives=came.redrives,
        suspect=came.error[0] == PROCESS_DIED,
    )
    return Retried(again, came.due_ms, came.error)


def record_of(message: Any) -> Record:
    """A consumed message as a record, byte for byte."""
    headers = message.headers()
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        tuple(headers) if headers else (),
    )
