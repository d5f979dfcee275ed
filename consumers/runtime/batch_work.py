"""Records of one partition through a batch handler; a failure is halved down to the record that causes it."""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter_ns
from types import MappingProxyType
from typing import Any, cast

import msgspec
import polars as pl

from consumers.batch import Batch, Later
from consumers.context import Context, Deadline
from consumers.database import DEPENDENCY
from consumers.errors import Reject, RejectSome
from consumers.runtime.agent import Agent
from consumers.runtime.block import Block, has_tombstone, headers_of, offsets_of, pick, timestamps_ms_of, values_of
from consumers.runtime.chunk import Chunk, Purpose
from consumers.runtime.failure import failure_of
from consumers.runtime.handlers import import_function
from consumers.runtime.record import HELD, Failed, Handled, Headers, Outcome, Record, Result
from consumers.runtime.state import OutboxMessage, Position, State
from consumers.runtime.work import Kit, events_of, is_replay, origin_of, result_headers
from schemas import names as wire
from schemas.columnar import Columns
from schemas.errors import ConfigurationError, DecodeError
from schemas.event import Event, record_type
from schemas.origin import Origin

_NO_HEADERS: Mapping[str, bytes] = MappingProxyType({})
_SYSTEMIC = frozenset({"unavailable", "fenced", "misconfigured"})


class BatchWork:
    """One agent's batch handler, ready to run chunks.

    Args:
        agent: from the catalogue.
        kit: what it stands on.
        state: for an exact agent: the handler's rows, its results (in an outbox) and the partition's offset stand in one
            transaction of it.
    """

    def __init__(self, agent: Agent, kit: Kit, *, state: State | None) -> None:
        self._agent = agent
        self._kit = kit
        self._state = state
        self._handler = import_function(agent, agent.handler)
        self._tick = import_function(agent, agent.tick) if agent.tick else None
        self._output = kit.settings.names.topic(agent.output) if agent.output else None
        self._readers = {} if agent.fields == () else _readers(agent, kit)

    def prepare(self, chunk: Chunk) -> None:
        """Decode the records of a chunk that waits, where `perform` is sure to want just these: nearly always."""
        records = chunk.records
        if self._readers and not has_tombstone(records) and self._of_one_topic(records) is records:
            chunk.columns = self._columns(records, records)

    def perform(self, chunk: Chunk) -> None:
        """Give every record of the chunk its outcome; an answered chunk's transaction is fenced, not kept."""
        if chunk.answered:
            return
        if chunk.records:
            if chunk.start(0):
                alike = self._of_one_topic(chunk.records)
                chunk.outcomes = [*self._settle(chunk, alike), *[HELD] * (len(chunk.records) - len(alike))]
            return
        chunk.started_s = time.monotonic()
        try:
            if chunk.purpose is Purpose.TICK:
                self._run_tick(chunk)
            else:
                self._advance(chunk)
        except Exception as error:
            chunk.failure = failure_of(error)

    def _of_one_topic(self, records: Sequence[Record]) -> Sequence[Record]:
        """The first records that came from one topic: those of a retry topic may come from several."""
        if not records[0].origin:
            return records
        topics = [origin_of(record, self._kit).topic for record in records]
        return records[: next((index for index, topic in enumerate(topics) if topic != topics[0]), len(records))]

    def _advance(self, chunk: Chunk) -> None:
        stored = chunk.owner.stored
        if stored < chunk.following:
            with self._transaction(chunk, stored, chunk.following):
                pass

    def _settle(self, chunk: Chunk, records: Sequence[Record]) -> list[Outcome]:
        """Outcomes of records in offset order: after a failure, what an exact agent has not stored is held."""
        try:
            outcomes = self._attempt(chunk, records)
        except RejectSome as error:
            outcomes = self._without_rejected(chunk, records, error.reasons)
        if len(records) == 1 or not _halve(outcomes[0]):
            return outcomes
        middle = len(records) // 2
        first = self._settle(chunk, records[:middle])
        return first + self._go_on(chunk, first, records[middle:])

    def _go_on(self, chunk: Chunk, before: list[Outcome], records: Sequence[Record]) -> list[Outcome]:
        """Settle what follows; an exact agent stores nothing behind a record that is not stored."""
        if self._agent.exact and not all(isinstance(outcome, Handled) for outcome in before):
            return [HELD] * len(records)
        return self._settle(chunk, records) if records else []

    def _without_rejected(self, chunk: Chunk, records: Sequence[Record], reasons: dict[int, str]) -> list[Outcome]:
        """The handler has named the culprits: those fail, and what lies before, between and after is settled."""
        first = next((index for index, record in enumerate(records) if record.offset in reasons), None)
        if first is None:
            raise ValueError(f"RejectSome names offsets {sorted(reasons)}, none of which is in the batch")
        rejected = failure_of(Reject(reasons[records[first].offset]))
        before = [*(self._settle(chunk, records[:first]) if first else []), rejected]
        return before + self._go_on(chunk, before, records[first + 1 :])

    def _attempt(self, chunk: Chunk, records: Sequence[Record]) -> list[Outcome]:
        """One call of the handler, in one transaction for an exact agent."""
        started_ns, stored = perf_counter_ns(), chunk.owner.stored
        try:
            batch, good, outcomes = self._batch(chunk, records, stored if self._agent.exact else 0)
            if not good:
                return outcomes
            with self._transaction(chunk, stored, good[-1].offset + 1) as connection:
                if chunk.answered:  # while it waited for the database, or before this half of it began
                    return [HELD] * len(records)
                answer = self._handler(batch, self._context(good[0], connection))
                messages = self._messages(answer, result_headers(self._agent.name, good[0], _since_us(started_ns)))
                if self._state is not None:
                    self._state.enqueue(connection, messages)
        except RejectSome:
            raise
        except BaseException as error:  # a handler's SystemExit must not end the runtime
            failure = failure_of(error)
            return [failure] * len(records) if _halve(failure) else [failure, *[HELD] * (len(records) - 1)]
        each = Handled((), _since_us(started_ns) // len(good))
        settled: list[Outcome] = [each] * len(outcomes)
        if len(good) < len(records):
            settled = [each if outcome is None else outcome for outcome in outcomes]
        if self._state is None:
            results = tuple(Result(message.topic, message.value, message.key, message.headers) for message in messages)
            settled[outcomes.index(None)] = msgspec.structs.replace(each, results=results)
        return settled

    def _batch(self, chunk: Chunk, records: Sequence[Record], stored: int) -> tuple[Batch, Sequence[Record], list[Any]]:
        """The batch, its records, and the outcomes so far, None for those of the batch.

        What lies below the stored offset was stored by a batch that outlived its deadline: it is done. An exact agent
        stores no offset beyond a record that is still to be dead-lettered: it stops before the first.
        """
        outcomes, good = list[Outcome | None]([None]) * len(records), records
        if offsets_of(records)[0] < stored or has_tombstone(records):
            taken = zip(offsets_of(records), values_of(records), strict=True)
            outcomes = [None if value is not None and offset >= stored else Handled() for offset, value in taken]
            good = _undone(records, outcomes)
        frame, bad = self._frame(chunk, records, good)
        if bad:
            fresh = [index for index, outcome in enumerate(outcomes) if outcome is None]
            for index, error in bad.items():
                outcomes[fresh[index]] = failure_of(error)
            if self._agent.exact:
                first = fresh[min(bad)]
                outcomes[first + 1 :] = [HELD] * (len(records) - first - 1)
            good = _undone(records, outcomes)
            frame = frame.head(len(good)) if self._readers else frame
        batch = Batch(
            topic=origin_of(records[0], self._kit).topic,
            partition=records[0].partition,
            offsets=offsets_of(good),
            timestamps_ms=Later(len(good), lambda: timestamps_ms_of(good)),
            headers=Later(len(good), lambda: _headers_of(good)),
            frame=frame,
        )
        return batch, good, outcomes

    def _frame(
        self, chunk: Chunk, records: Sequence[Record], fresh: Sequence[Record]
    ) -> tuple[Any, dict[int, DecodeError]]:
        """The columns of the fresh ones of the records, and what could not be decoded, by index among those."""
        if not self._readers:
            return pl.DataFrame(), {}
        decoded, chunk.columns = chunk.columns, None
        if decoded is None or fresh is not chunk.records:
            decoded = self._columns(records, fresh)
        return decoded.frame, decoded.bad

    def _columns(self, records: Sequence[Record], fresh: Sequence[Record]) -> Columns:
        reader, values = self._readers[origin_of(records[0], self._kit).topic], values_of(fresh)
        return self._kit.codec.columns(cast("list[bytes]", values), reader, self._agent.fields)

    def _transaction(self, chunk: Chunk, expected: int, following: int) -> AbstractContextManager[Any]:
        if self._state is None:
            return nullcontext()
        owner = chunk.owner
        position = Position(owner.topic_id, owner.topic, owner.partition)
        return _Stored(chunk, self._state.transaction(position, expected=expected, following=following), following)

    def _run_tick(self, chunk: Chunk) -> None:
        if self._state is None or self._tick is None:
            raise ConfigurationError([f"agent {self._agent.name!r} has no tick"])
        with _Stored(chunk, self._state.plain()) as connection:
            answer = self._tick(Context(agent=self._agent.name, resources=self._kit.resources, connection=connection))
            headers = ((wire.SOURCE_AGENT, self._agent.name.encode()),)
            self._state.enqueue(connection, self._messages(answer, headers))

    def _context(self, first: Record, connection: Any) -> Context:
        return Context(
            agent=self._agent.name,
            attempt=first.attempt,
            origin=origin_of(first, self._kit),
            deadline=Deadline.after(self._agent.deadline_s),
            replay=is_replay(first),
            resources=self._kit.resources,
            connection=connection,
        )

    def _messages(self, answer: Any, headers: tuple[tuple[str, bytes], ...]) -> list[OutboxMessage]:
        """Encoded results; a batch handler sets their ids itself, since they have no single source."""
        events = events_of(answer)
        if events and (self._agent.output is None or self._output is None):
            raise ConfigurationError(
                [f"agent {self._agent.name!r} has no output topic, yet its handler returned events"]
            )
        return [self._message(event, str(self._agent.output), str(self._output), headers) for event in events]

    def _message(self, event: Event, bare: str, topic: str, headers: tuple[tuple[str, bytes], ...]) -> OutboxMessage:
        key_field = self._kit.catalogue.topics[bare].key_field
        key = str(getattr(event, key_field)).encode() if key_field else None
        return OutboxMessage(event.id, topic, key, self._kit.codec.encode(event, topic=topic), headers)


class _Stored:
    """A transaction of the state for a chunk: kept only while somebody waits for that, and then the offset has moved."""

    def __init__(self, chunk: Chunk, transaction: AbstractContextManager[Any], following: int | None = None) -> None:
        self._chunk, self._transaction, self._following = chunk, transaction, following

    def __enter__(self) -> Any:
        """Begin. Waiting for the database, which another's transaction may hold, is not the handler's time."""
        self._chunk.waits_for = DEPENDENCY
        try:
            return self._transaction.__enter__()
        finally:
            self._chunk.waited()

    def __exit__(self, *error: Any) -> bool | None:
        if error[0] is None and self._chunk.answered:
            given_up = TimeoutError("it outlived its deadline: nothing of it is stored")
            error = (TimeoutError, given_up, None)
        swallowed = self._transaction.__exit__(*error)
        if error[0] is None and self._following is not None:
            self._chunk.owner.stored = self._following
        return swallowed


def _readers(agent: Agent, kit: Kit) -> dict[str, type[Event]]:
    """The record of each topic.

    Raises:
        ConfigurationError: where one has not the fields that the agent names.
    """
    readers = {topic: record_type(kit.catalogue.topics[topic].record) for topic in agent.topics}
    wrong = [
        f"agent {agent.name!r}: {kind.__schema_name__} of {topic} has no field {field!r}"
        for topic, kind in readers.items()
        for field in agent.fields or ()
        if field not in kind.__struct_fields__
    ]
    if wrong:
        raise ConfigurationError(wrong)
    return readers


def _undone(records: Sequence[Record], outcomes: Sequence[Outcome | None]) -> Sequence[Record]:
    """Those that have no outcome yet."""
    return pick(records, [index for index, outcome in enumerate(outcomes) if outcome is None])


def _headers_of(records: Sequence[Record]) -> list[Mapping[str, bytes]]:
    """Of records that come again, their origin too: so that the delay is not taken for the event's own."""
    origins = [None] * len(records) if isinstance(records, Block) else [record.origin for record in records]
    return [_headers(*each) for each in zip(headers_of(records), origins, strict=True)]


def _headers(headers: Headers, origin: Origin | None) -> Mapping[str, bytes]:
    if not headers and origin is None:
        return _NO_HEADERS
    named = {name: value for name, value in headers if value is not None}
    return {**named, wire.ORIGIN_TOPIC: origin.topic.encode()} if origin else named


def _halve(outcome: Outcome) -> bool:
    """Whether a smaller batch could find the culprit: of a failure that a record may have caused."""
    return isinstance(outcome, Failed) and outcome.kind not in _SYSTEMIC and outcome.kind != "undecodable"


def _since_us(started_ns: int) -> int:
    return (perf_counter_ns() - started_ns) // 1000
