"""Records of a range through an exact batch agent's own handler, into rows of a shadow group."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from consumers.rollups.replacing import Stand
from consumers.runtime.batch_work import BatchWork
from consumers.runtime.chunk import Chunk
from consumers.runtime.fate import DeadLetter, decide
from consumers.runtime.intake import record_of
from consumers.runtime.kit import open_kit
from consumers.runtime.local import agent_named
from consumers.runtime.record import Failed, Handled, Record
from consumers.runtime.state import Position, State
from schemas.settings import Settings
from streams.dead_letters.origins import GivenUp, Origin
from streams.replay.job import Job, ReplayError
from streams.topic_reader import TopicReader

_SYSTEMIC = frozenset({"unavailable", "fenced", "misconfigured"})


@dataclass(slots=True)
class _Partition:
    """What a batch's work must know of its partition."""

    topic: str
    partition: int
    topic_id: str
    stored: int


class Filler:
    """Fills the shadow's rows; its stored offsets are its progress, so that it resumes by itself.

    No header marks these records: one that came too late for its window came too late, then as now, and what is counted
    is a function of the log alone.

    Args:
        job: with its agent.
        settings: the broker and the database.

    Attributes:
        passed_over: records that are dead letters, or would be: those are counted where they are redriven, and so never here.
    """

    def __init__(self, job: Job, settings: Settings) -> None:
        self.passed_over = 0
        self._job = job
        self._topic = settings.names.topic(job.topic)
        kit = open_kit(settings)
        self._agent = agent_named(kit, str(job.agent))
        self._state = State(settings.database_url, group=job.group(settings.names))
        self._work = BatchWork(self._agent, kit, state=self._state)
        self._reader = TopicReader(settings, self._topic)
        self._letters = GivenUp(settings, self._agent.name, job.topic)
        self._partitions: dict[int, _Partition] = {}

    def begin(self) -> None:
        """Say where each partition starts, or find where it was left."""
        for part in self._job.slices:
            self._begin(part.partition, part.start)

    def fill(self, stands: Mapping[int, Stand], told: Callable[[int], None]) -> None:
        """Count every record up to where the live group stands.

        Raises:
            ReplayError: when a batch cannot be counted.
        """
        for number in stands.keys() - self._partitions.keys():  # a partition that was added since
            self._begin(number, self._reader.bounds.get(number, (0, 0))[0])
        ends = {number: stand.next_offset for number, stand in stands.items()}
        starts = {number: self._partitions[number].stored for number in ends}
        waiting: defaultdict[int, list[Record]] = defaultdict(list)
        self._letters.catch_up()  # the live group stood there after them
        for message in self._reader.read(starts, ends):
            record = record_of(message)
            if Origin(record.partition, record.offset, record.timestamp_ms) in self._letters:
                self.passed_over += 1
                continue
            waiting[record.partition].append(record)
            if len(waiting[record.partition]) >= self._batch_records(len(stands)):
                self._count(waiting.pop(record.partition))
                told(self._covered())
        for records in waiting.values():
            self._count(records)
        for number, end in ends.items():
            self._advance(self._partitions[number], end)
        told(self._covered())

    def close(self) -> None:
        """Leave the broker and the database."""
        self._reader.close()
        self._letters.close()
        self._state.close()

    def _batch_records(self, partitions: int) -> int:
        """The most records of a batch: those of all partitions together are as many as the live agent has in hand."""
        return max(1, min(self._agent.batch_records or 1, self._agent.max_in_flight // partitions))

    def _begin(self, number: int, start: int) -> None:
        position = Position(self._job.topic_id, self._topic, number)
        self._state.begin(position, start)
        stored = self._state.start(position)
        self._partitions[number] = _Partition(
            self._topic, number, self._job.topic_id, start if stored is None else stored
        )

    def _covered(self) -> int:
        return self._job.covered({number: partition.stored for number, partition in self._partitions.items()})

    def _count(self, records: list[Record], attempt: int = 1) -> None:
        """Count a batch; after a record that cannot be counted, go on with those behind it, as the live agent does."""
        owner = self._partitions[records[0].partition]
        while records:
            chunk = Chunk(owner=owner, lane=0, records=records, key_of=lambda record: record.key)
            self._work.perform(chunk)
            index = next((i for i, outcome in enumerate(chunk.outcomes) if not isinstance(outcome, Handled)), None)
            if index is None:
                return
            failure = chunk.outcomes[index]
            if not isinstance(failure, Failed) or failure.kind in _SYSTEMIC:
                place = f"{self._job.topic} [{owner.partition}] @ {records[index].offset}"
                raise ReplayError(f"{place} cannot be counted: {getattr(failure, 'message', failure)}")
            fate = decide(failure, attempt=attempt, failing_for_s=60.0, policy=self._agent.retry, draw=0.0)
            if isinstance(fate, DeadLetter):
                self.passed_over += 1
                records, attempt = records[index + 1 :], 1
            else:
                time.sleep(getattr(fate, "delay_s", 0.0))
                records, attempt = records[index:], attempt + 1
                records = [msgspec.structs.replace(records[0], attempt=attempt), *records[1:]]

    def _advance(self, partition: _Partition, end: int) -> None:
        """Move on behind records that need no rows: those passed over, tombstones, markers."""
        if partition.stored < end:
            position = Position(partition.topic_id, partition.topic, partition.partition)
            with self._state.transaction(position, expected=partition.stored, following=end):
                pass
            partition.stored = end
