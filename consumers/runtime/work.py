"""One record through its handler: decode, handle, encode. The same in a thread, a child process or an event loop."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Protocol

import msgspec

from consumers.context import Context, Deadline, Resources
from consumers.runtime.agent import Agent
from consumers.runtime.block import values_of
from consumers.runtime.chunk import Chunk
from consumers.runtime.failure import failure_of
from consumers.runtime.handlers import event_taken_by, import_function, takes_context
from consumers.runtime.record import BRIEF, HELD, Failed, Handled, Outcome, Record, Result
from consumers.runtime.together import Together
from schemas import names as wire
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.errors import ConfigurationError
from schemas.event import Event, derived_event_id
from schemas.origin import Origin
from schemas.settings import Settings

_BRIEF_US = len(BRIEF)


class Alarm(Protocol):
    """What cancels the task of a record that is past its deadline."""

    rang: bool

    def overrun(self) -> Failed:
        """The outcome of the record that it rang for; from now on for the next one."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What every agent's work of one process stands on."""

    settings: Settings
    catalogue: Catalogue
    codec: Codec
    resources: Resources


class Work:
    """One agent's handler, ready to run records.

    Args:
        agent: from the catalogue.
        kit: what it stands on.

    Raises:
        ConfigurationError: when the handler cannot be imported, or does not say which event it takes.
    """

    def __init__(self, agent: Agent, kit: Kit) -> None:
        self._agent = agent
        self._kit = kit
        self._handler = import_function(agent, agent.handler)
        self._takes_context = takes_context(self._handler)
        self._reader = event_taken_by(self._handler, agent)
        self._together = Together(kit.codec, self._reader)
        self._output = kit.settings.names.topic(agent.output) if agent.output else None

    def perform(self, chunk: Chunk) -> None:
        """Run the chunk's records one after another; stops early when it is answered for, or past its limit.

        They are decoded here and now, so that the handler finds them in the cache: 1.2 times as many events a second, inline, as
        when they were decoded as they were polled (docs/performance.md).

        The same as `run` for each, written out: two calls more a record cost what a short handler does.
        """
        chunk.events = self.decoded(values_of(chunk.records))
        outcomes, handler, now_s = chunk.outcomes, self._handler, time.monotonic
        records = self._looked_at(chunk)
        for index, decoded in _due(chunk):
            began_s = chunk.started_s
            try:
                event = self._decode(records[index]) if decoded is None else decoded
                answer = handler(event, self._context(records[index])) if self._takes_context else handler(event)
                ended_s = now_s()
                elapsed_us = int((ended_s - began_s) * 1e6)
                if answer is None and elapsed_us < _BRIEF_US:
                    outcomes[index] = BRIEF[elapsed_us]
                else:
                    outcomes[index] = Handled(self._results(records[index], event, answer, elapsed_us), elapsed_us)
            except BaseException as error:
                ended_s = now_s()
                chunk.finish(index, failure_of(error, elapsed_us=_since_us(began_s)))
            chunk.started_s = ended_s

    def decoded(self, values: Sequence[bytes | None]) -> Sequence[Event | None] | None:
        """Parallel to the values, what they say, decoded in one call; None where that does not pay, or cannot be done."""
        return self._together.decode(values)

    def each(self, records: Sequence[Record], events: Sequence[Event | None] | None) -> Iterator[Outcome]:
        """The same for whoever tells each outcome as soon as it is there.

        Args:
            records: in offset order.
            events: what was decoded of them together.
        """
        handler, now_s, takes_context = self._handler, time.monotonic, self._takes_context
        failed: set[bytes | None] = set()
        for record, decoded in zip(records, events or repeat(None, len(records)), strict=True):
            if failed and record.key in failed:
                yield HELD
                continue
            began_s = now_s()
            try:
                event = self._decode(record) if decoded is None else decoded
                answer = handler(event, self._context(record)) if takes_context else handler(event)
                elapsed_us = int((now_s() - began_s) * 1e6)
                if answer is None and elapsed_us < _BRIEF_US:
                    outcome: Outcome = BRIEF[elapsed_us]
                else:
                    outcome = Handled(self._results(record, event, answer, elapsed_us), elapsed_us)
            except BaseException as error:
                outcome = failure_of(error, elapsed_us=_since_us(began_s))
                failed |= {record.key} - {None}
            yield outcome

    def run(self, record: Record) -> Outcome:
        """One record: decode, handle, encode; a failure comes back as data."""
        began_s = time.monotonic()
        try:
            event = self._decode(record)
            answer = self._handler(event, self._context(record)) if self._takes_context else self._handler(event)
            elapsed_us = _since_us(began_s)
            return Handled(self._results(record, event, answer, elapsed_us), elapsed_us)
        except BaseException as error:
            return failure_of(error, elapsed_us=_since_us(began_s))

    async def run_async(self, record: Record) -> Outcome:
        """The same for a coroutine function; only being cancelled passes through."""
        began_s = time.monotonic()
        try:
            event = self._decode(record)
            awaitable = self._handler(event, self._context(record)) if self._takes_context else self._handler(event)
            answer = await awaitable
            elapsed_us = _since_us(began_s)
            if answer is None and elapsed_us < _BRIEF_US:
                return BRIEF[elapsed_us]
            return Handled(self._results(record, event, answer, elapsed_us), elapsed_us)
        except BaseException as error:
            if _is_cancelled(error):
                raise
            return failure_of(error, elapsed_us=_since_us(began_s))

    async def perform_async(self, chunk: Chunk, alarm: Alarm) -> None:
        """`perform` for a coroutine function, in a task that the alarm cancels when a record is past its deadline.

        The loop has coroutines to run: what was decoded together was decoded by the agent's thread.
        """
        handler, now_s = self._handler, time.monotonic
        records = self._looked_at(chunk)
        for index, decoded in _due(chunk):
            began_s = chunk.started_s
            outcome: Outcome | None = None
            try:
                event = self._decode(records[index]) if decoded is None else decoded
                answer = await (
                    handler(event, self._context(records[index])) if self._takes_context else handler(event)
                )
                ended_s = now_s()
                elapsed_us = int((ended_s - began_s) * 1e6)
                if answer is None and elapsed_us < _BRIEF_US and not alarm.rang:
                    chunk.outcomes[index] = BRIEF[elapsed_us]
                    chunk.started_s = ended_s
                    continue
                outcome = Handled(self._results(records[index], event, answer, elapsed_us), elapsed_us)
            except BaseException as error:
                if not _is_cancelled(error):
                    outcome = failure_of(error, elapsed_us=_since_us(began_s))
                elif not alarm.rang:
                    raise
            # Of a handler that took its cancellation for a good moment to return, the answer counts.
            late = alarm.overrun() if alarm.rang else None
            chunk.finish(index, outcome or late or HELD)
            chunk.started_s = now_s()

    def _looked_at(self, chunk: Chunk) -> Sequence[Record]:
        """The chunk's records: made all at once where each is looked at; else few are, and those one by one."""
        if self._output:
            chunk.records = [*chunk.records]  # the settlement looks at each too
            return chunk.records
        return [*chunk.records] if self._takes_context else chunk.records

    def _decode(self, record: Record) -> Event | None:
        if record.value is None:
            return None
        return self._kit.codec.decode(record.value, self._reader, origin=origin_of(record, self._kit))

    def _context(self, record: Record) -> Context:
        return Context(
            agent=self._agent.name,
            attempt=record.attempt,
            origin=origin_of(record, self._kit),
            deadline=Deadline.after(self._agent.deadline_s),
            key=record.key,
            replay=is_replay(record),
            resources=self._kit.resources,
        )

    def _results(self, record: Record, source: Event | None, answer: Any, elapsed_us: int) -> tuple[Result, ...]:
        events = events_of(answer)
        if not events:
            return ()
        if self._output is None:
            raise ConfigurationError(
                [f"agent {self._agent.name!r} has no output topic, yet its handler returned events"]
            )
        headers = result_headers(self._agent.name, record, elapsed_us)
        return tuple(
            Result(self._output, self._encoded(event, record, source, index, self._output), record.key, headers)
            for index, event in enumerate(events)
        )

    def _encoded(self, event: Event, record: Record, source: Event | None, index: int, topic: str) -> bytes:
        """The result's bytes, with the id and time that every replay gives it again; a tombstone's go by its place."""
        occurred_at_us = source.occurred_at_us if source else (record.origin or record).timestamp_ms * 1000
        place = record.origin or record
        name = source.id if source else f"{place.topic}/{place.partition}/{place.offset}"
        event_id = derived_event_id(occurred_at_us=occurred_at_us, source=name, agent=self._agent.name, index=index)
        stamped = msgspec.structs.replace(event, event_id=event_id, occurred_at=occurred_at_us)
        return self._kit.codec.encode(stamped, topic=topic)


def events_of(answer: Any) -> list[Event]:
    """A handler's answer as a list: None, one event, or several.

    Raises:
        TypeError: when it is none of these.
    """
    if answer is None:
        return []
    events = [answer] if isinstance(answer, Event) else list(answer) if isinstance(answer, Iterable) else [answer]
    for event in events:
        if not isinstance(event, Event):
            raise TypeError(
                f"a handler returns events, a list of them, or None; this one returned {type(event).__name__}"
            )
    return events


def origin_of(record: Record, kit: Kit) -> Origin:
    """Where the record first stood, under the topic's name in the catalogue."""
    place = record.origin or record
    return Origin(kit.settings.names.bare(place.topic), place.partition, place.offset, place.timestamp_ms)


def is_replay(record: Record) -> bool:
    """Whether it is worked on again by a replay."""
    return bool(record.headers) and any(name == wire.REPLAY for name, _ in record.headers)


def result_headers(agent: str, record: Record, elapsed_us: int) -> tuple[tuple[str, bytes], ...]:
    """A result's headers: who made it, in what time, and what is passed on from the source."""
    passed = tuple((name, value) for name, value in record.headers if name in wire.PASSED_ON and value is not None)
    return ((wire.SOURCE_AGENT, agent.encode()), (wire.HANDLING_US, str(elapsed_us).encode()), *passed)


def _due(chunk: Chunk) -> Iterator[tuple[int, Event | None]]:
    """Each record that may start now, by index, with what was decoded of it; none once the chunk is answered for, or late.

    Whoever runs it notes in `started_s` when it ended: the next one starts then.
    """
    chunk.started_s = time.monotonic()
    limit_s = chunk.started_s + chunk.limit_s
    for index, decoded in enumerate(chunk.events or repeat(None, len(chunk.records))):
        if chunk.answered or chunk.started_s > limit_s:
            return
        if not (chunk.failed_keys and chunk.holds(index)):
            chunk.index = index
            yield index, decoded


def _is_cancelled(error: BaseException) -> bool:
    """Whether it is the chunk that was cancelled, or its deadline has come: nothing that the handler awaited."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _since_us(began_s: float) -> int:
    return int((time.monotonic() - began_s) * 1e6)
