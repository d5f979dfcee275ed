"""An agent without a broker: its real handler, codec and fate, on events in hand. For tests and `headrace run`."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from consumers.runtime.agent import Agent
from consumers.runtime.chunk import Chunk
from consumers.runtime.fate import Fate, decide
from consumers.runtime.kit import open_kit
from consumers.runtime.lanes import Lanes
from consumers.runtime.record import Failed, Handled, Outcome, Record, Result
from consumers.runtime.work import Kit, Work
from schemas.errors import ConfigurationError
from schemas.event import Event
from schemas.settings import Settings

_TOPIC_ID = "local"


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of one event.

    Attributes:
        fate: as the runtime would decide it at this attempt.
        results: the results as (schema name, fields), decoded from the bytes that would be published.
        failure: what went wrong; None where nothing did.
    """

    fate: Fate
    results: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failure: Failed | None = None


@dataclass(slots=True)
class _Partition:
    topic: str
    partition: int = 0
    topic_id: str = _TOPIC_ID
    stored: int = 0


def run_agent(agent: str, event: Event, *, settings: Settings | None = None, attempt: int = 1) -> Ran:
    """Run one event through an agent of the catalogue.

    Args:
        agent: its name.
        event: the typed event.
        settings: the catalogue, store and database; the defaults otherwise.
        attempt: which attempt this is to be.

    Raises:
        ConfigurationError: when there is no such agent, or it cannot start.
    """
    kit = open_kit(msgspec.structs.replace(settings or Settings(), registry_url=None))
    found = agent_named(kit, agent)
    value = kit.codec.encode(event, topic=found.topics[0])
    return run_values(found, kit, [(None, value)], attempt=attempt)[0]


def run_values(agent: Agent, kit: Kit, values: Sequence[tuple[bytes | None, bytes]], *, attempt: int = 1) -> list[Ran]:
    """Run encoded events, as (key, value), as if they were one partition's records from offset 0."""
    topic = kit.settings.names.topic(agent.topics[0])
    now_ms = time.time_ns() // 1_000_000  # as if they were published now
    records = [
        Record(topic, 0, offset, now_ms, key, value, attempt=attempt) for offset, (key, value) in enumerate(values)
    ]
    if agent.batch_records is None:
        work = Work(agent, kit)
        return [_ran(agent, kit, record, work.run(record)) for record in records]
    return _run_batch(agent, kit, records)


def agent_named(kit: Kit, name: str) -> Agent:
    """The agent of that name.

    Raises:
        ConfigurationError: when the catalogue has none, with the names that it has.
    """
    found: dict[str, Agent] = {agent.name: agent for agent in kit.catalogue.agents}
    if name not in found:
        raise ConfigurationError([f"there is no agent {name!r}; the catalogue has {', '.join(found)}"])
    return found[name]


def _run_batch(agent: Agent, kit: Kit, records: list[Record]) -> list[Ran]:
    """One batch over a database of its own that is thrown away; an exact agent's results come out of its outbox."""
    from consumers.runtime.batch_work import BatchWork

    with _throwaway(kit) as fresh:
        state = None
        if agent.exact:
            from consumers.runtime.state import Position, State

            state = State(fresh.settings.database_url, group=agent.name)
            state.begin(Position(_TOPIC_ID, records[0].topic, 0), 0)
        lanes = Lanes(lanes=1, order=agent.order, whole=True)
        chunk = Chunk(owner=_Partition(records[0].topic), lane=0, records=records, key_of=lanes.key_of)
        BatchWork(agent, fresh, state=state).perform(chunk)
        outcomes = [outcome for outcome in chunk.outcomes if outcome is not None]
        ran = [_ran(agent, kit, record, outcome) for record, outcome in zip(records, outcomes, strict=True)]
        if state is not None:
            ran[0].results.extend(kit.codec.decode_any(message.value) for message in state.pending(10_000))
            state.close()
        return ran


@contextmanager
def _throwaway(kit: Kit) -> Iterator[Kit]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'run.db'}"
        settings = msgspec.structs.replace(kit.settings, database_url=url)
        yield Kit(settings, kit.catalogue, kit.codec, kit.resources)


def _ran(agent: Agent, kit: Kit, record: Record, outcome: Outcome) -> Ran:
    fate = decide(outcome, attempt=record.attempt, failing_for_s=0.0, policy=agent.retry, draw=0.0)
    results: tuple[Result, ...] = outcome.results if isinstance(outcome, Handled) else ()
    decoded = [kit.codec.decode_any(result.value) for result in results if result.value is not None]
    return Ran(fate, decoded, outcome if isinstance(outcome, Failed) else None)
