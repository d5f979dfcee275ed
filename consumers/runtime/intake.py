"""From what the consumer polled to records in their lanes; events of the log's end and errors are told apart here."""

import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec
import structlog
from confluent_kafka import KafkaError, KafkaException, Message

from consumers.runtime import story
from consumers.runtime.agent import Agent
from consumers.runtime.assignment import Assignment
from consumers.runtime.block import Block, Place, has_tombstone, offsets_of, pick, values_of
from consumers.runtime.bounds import Bound
from consumers.runtime.failure import PROCESS_DIED
from consumers.runtime.flow import Flow
from consumers.runtime.membership import Membership
from consumers.runtime.record import Record
from consumers.runtime.stats import Stats
from consumers.runtime.together import Together
from consumers.runtime.waiting import Retried, Waiting

log = structlog.get_logger("headrace.agent")

_SAY_AGAIN_S = 30.0


class Intake:
    """Cuts polled messages by partition; keeps what is not owned any more out.

    Args:
        agent: from the catalogue.
        membership: what is owned.
        waiting: takes records of retry topics.
        flow: says how much a partition with suspects may have in hand.
        stats: learns how large records are.
        together: decodes what comes, for an executor that is not to be kept by it; None where the executor does.
    """

    def __init__(
        self,
        agent: Agent,
        membership: Membership,
        waiting: Waiting,
        flow: Flow,
        stats: Stats,
        *,
        together: Together | None,
    ) -> None:
        self._agent = agent
        self._together = together
        self._waiting = waiting
        self._flow = flow
        self._stats = stats
        self._membership = membership
        self._said: dict[str, float] = {}

    def accept(self, messages: list[Any]) -> list[Place]:
        """Queue the records.

        Returns:
            Partitions whose offset the broker says is out of its log.

        Raises:
            KafkaException: for an error after which the consumer cannot go on.
        """
        good, ends, out_of_log = messages, list[Any](), list[Place]()
        if any(map(Message.error, messages)):
            good, ends, out_of_log = self._without_events(messages)
        blocks = [Block.of(*run) for run in _by_place(good) if self._is_owned(run[0])]
        first = {block.place: block.offsets[0] for block in reversed(blocks)}
        late = {place for place, offset in first.items() if self._begins_late(place, offset)}
        for block in blocks:
            if block.place not in late:
                self._take(block)
        for end in ends:
            self._note_end(end, late)
        return out_of_log

    def _begins_late(self, place: Place, offset: int) -> bool:
        """Whether a partition does not begin where it starts: then it is fetched once more, and what comes then is believed.

        Compaction and transaction markers leave such gaps. A fetch that began elsewhere looks the same, and all that lies
        between would count as never delivered, and be committed over.
        """
        assignment = self._membership.assignments[place]
        if (
            assignment.doubted
            or offset <= assignment.started_at
            or assignment.watermark.highest > assignment.started_at
        ):
            return False
        assignment.doubted = True
        facts = {"topic": assignment.topic, "partition": assignment.partition, "start": assignment.started_at}
        log.info("fetched_again", agent=self._agent.name, **facts, first=offset)
        self._membership.fetch_again(assignment)
        return True

    def _without_events(self, messages: list[Any]) -> tuple[list[Any], list[Any], list[Place]]:
        """The records among what was polled, the ends of logs, and the partitions whose offset is out of their log."""
        records, ends, out_of_log = [], [], []
        for message in messages:
            error = message.error()
            if error is None:
                records.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                ends.append(message)
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                out_of_log.append((message.topic(), message.partition()))
            elif error.fatal() or error.code() == KafkaError._FATAL:  # a consumer's fatal error says fatal() False
                raise KafkaException(error)
            else:
                self.tell(error)
        return records, ends, out_of_log

    def _is_owned(self, place: Place) -> bool:
        """A revocation can come between poll() and the consume() after it: those records are another's now."""
        assignment = self._membership.assignments.get(place)
        return assignment is not None and not assignment.quiet

    def _take(self, block: Block) -> None:
        assignment = self._membership.assignments[block.place]
        if assignment.quiet:
            return  # since an earlier run of this poll: it is fetched again from an offset before this one
        if assignment.retry_delay_s is None:
            self._queue(assignment, self._within_share(assignment, block) if assignment.has_untried else block)
        else:
            retried = [retry_of(message) for message in block.messages]
            for each in retried if assignment.hold is not None else ():
                if each.error[0] == PROCESS_DIED:  # it would kill a worker as it has killed a child
                    assignment.suspects.charge(each.record.offset, each.record.attempt - 1)
            self._waiting.take(assignment, retried, self._queue)

    def _within_share(self, assignment: Assignment, block: Block) -> Block:
        """Of a partition with suspects, which take their time, no more than its share of the room; the rest is fetched again later.

        Seen without this: such a partition filled the room with its backlog, and others waited for its suspects for 7 s.
        """
        left = max(0, self._flow.share - assignment.watermark.unfinished)
        unfinished = [index for index, offset in enumerate(block.offsets) if not assignment.is_done(offset)]
        if len(unfinished) <= left:
            return block
        self._membership.sate(assignment, block.offsets[unfinished[left]])
        return block.pick(range(unfinished[left]))

    def tell(self, error: KafkaError) -> None:
        """Say an error once in a while: librdkafka repeats it until it is over, and goes on by itself."""
        now_s, name = time.monotonic(), error.name()
        if now_s - self._said.get(name, float("-inf")) >= _SAY_AGAIN_S:
            self._said[name] = now_s
            log.warning("broker_says", agent=self._agent.name, reason=error.str(), code=name)

    def _note_end(self, message: Any, late: set[Place]) -> None:
        """A log's end; of a partition that was fetched once more in this poll, it is not the one that counts."""
        place = message.topic(), message.partition()
        assignment = self._membership.assignments.get(place)
        if assignment is None or assignment.quiet or place in late:  # what waits for its time lies before the end
            return
        if self._begins_late(place, message.offset()):
            late.add(place)
        else:
            assignment.end = message.offset() if assignment.bound is None else assignment.bound.until
            self._rest(assignment)

    def _queue(self, assignment: Assignment, records: Sequence[Record], aside: set[int] | None = None) -> None:
        """Note records as delivered, and lane them; those whose offsets are in `aside` are somebody else's business."""
        highest = assignment.watermark.highest
        if records and offsets_of(records)[0] < highest:
            records = pick(records, [i for i, offset in enumerate(offsets_of(records)) if offset >= highest])
        if assignment.bound is not None:
            records = self._within(assignment, assignment.bound, records)
        assignment.deliver(offsets_of(records))
        if assignment.done:  # by the partition's last owner, behind a record that it had not finished
            records = _wanted(assignment, records, [not assignment.is_done(each) for each in offsets_of(records)])
        if aside:
            records = pick(records, [i for i, offset in enumerate(offsets_of(records)) if offset not in aside])
        values = values_of(records)
        if has_tombstone(records) and not self._agent.tombstones and self._agent.batch_records is None:
            records = _wanted(assignment, records, [value is not None for value in values])
        if assignment.bound is not None and assignment.bound.wanted is not None:
            records = _wanted(assignment, records, [*map(assignment.bound.wanted, records)])
        self._rest(assignment)
        if assignment.careful:
            assignment.suspects.delivered(offsets_of(records))
            records = _tried(assignment, records)
        else:
            self._decode(assignment, records)
        assignment.lanes.add(records)
        if values:
            self._stats.sized(sum(map(len, filter(None, values))), len(values))

    def _decode(self, assignment: Assignment, records: Sequence[Record]) -> None:
        """Decode what comes, where that is not left to the executor; not before the owner's mark is told."""
        if self._together is not None and not assignment.unsaid:
            events = self._together.decode(values_of(records))
            if events is not None:
                assignment.note_events(records, events)

    @staticmethod
    def _within(assignment: Assignment, bound: Bound, records: Sequence[Record]) -> list[Record]:
        """What lies within a replay's range, with its mark; the first record past its end ends the partition."""
        within = [record for record in records if record.offset < bound.until]
        if len(within) < len(records):
            assignment.end = bound.until
        return [msgspec.structs.replace(record, headers=bound.marked(record.headers)) for record in within]

    def _rest(self, assignment: Assignment) -> None:
        """Fetch no more from a partition of which a replay has all that it wants."""
        if assignment.exhausted:
            self._membership.set_pauses()


def _by_place(messages: list[Any]) -> Iterator[tuple[Place, list[Message]]]:
    """The messages in runs of one partition: a fetch brings long ones, and no step of Python is spent on each message."""
    topics: list[Any] = [*map(Message.topic, messages)]
    partitions: list[Any] = [*map(Message.partition, messages)]
    is_one_topic = topics[:1] * len(topics) == topics
    start = 0
    for _, run in groupby(partitions if is_one_topic else zip(topics, partitions, strict=True)):
        end = start + len([*run])
        yield (topics[start], partitions[start]), messages[start:end]
        start = end


def _wanted(assignment: Assignment, records: Sequence[Record], wanted: list[bool]) -> Sequence[Record]:
    """Those that a handler is to have; the others are finished."""
    if all(wanted):
        return records
    offsets = offsets_of(records)
    assignment.watermark.finish([offset for offset, take in zip(offsets, wanted, strict=True) if not take])
    return pick(records, [index for index, take in enumerate(wanted) if take])


def _tried(assignment: Assignment, records: Sequence[Record]) -> Sequence[Record]:
    """The records, with the attempts of those that child processes of earlier owners have died of."""
    died = assignment.suspects.died
    if not died:
        return records
    return [msgspec.structs.replace(each, attempt=max(each.attempt, died.get(each.offset, 0) + 1)) for each in records]


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
