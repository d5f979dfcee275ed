"""The state of a whole deployment: what workers say of themselves, and what the broker says of their groups."""

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import msgspec

from consumers.runtime.agent import Agent
from consumers.runtime.broker_view import BrokerView
from producers.errors import UnknownTopicError
from schemas.names import WORKERS_TOPIC
from schemas.settings import Settings
from streams.positions import END, Position
from streams.report import AgentReport, WorkerReport
from streams.topic_reader import TopicReader

_ALIVE_MS = 10_000


class PartitionState(msgspec.Struct, frozen=True):
    """One partition of an agent: offsets as the broker has them; `owner` is a worker, None when nobody says so.

    Attributes:
        committed: the group's commit; None for none.
        end: the log's end.
        lag: how many offsets lie between.
        stopped: why its owner leaves it alone; None where it doesn't.
    """

    topic: str
    partition: int
    committed: int | None
    end: int
    lag: int
    owner: str | None = None
    stopped: str | None = None


class AgentState(msgspec.Struct, frozen=True):
    """One agent over all workers; counts are since each worker's start, `dead_letters` is what its topic holds.

    Attributes:
        end: the ends of its topics' logs, added up.
        lag: what is not committed of them, and of its retry topics: what waits for another attempt counts.
        rate: records finished a second, over the last seconds.
        overall_rate: the same from the first record to the last.
        results: published so far, as the overview agent counts them; where it doesn't run, since each worker's start.
        failures: dead-lettered so far, as the overview agent counts them.
        p50_ms: handling time by the overview's count, in milliseconds; else the slowest worker's own figure.
        p99_ms: the same.
        careful: how many partitions are taken carefully: what their last owners may have died of runs in a child process.
    """

    agent: str
    group: str
    workers: int
    end: int
    lag: int
    rate: float
    overall_rate: float
    handled: int
    results: int
    retried: int
    waited: int
    failures: int
    p50_ms: float | None
    p99_ms: float | None
    dead_letters: int
    hung: int
    careful: int
    circuits: dict[str, float]
    partitions: list[PartitionState]


def collect(settings: Settings, agents: Sequence[Agent]) -> tuple[list[AgentState], list[WorkerReport]]:
    """The agents of the catalogue, and the workers that were heard of in the last ten seconds.

    Raises:
        KafkaException: when the broker stops answering.
        Unavailable: when the overview's database does.
    """
    workers = live_workers(settings)
    overview = _overview(settings)
    with closing(BrokerView(settings)) as view:
        return [_agent_state(settings, agent, view, workers, overview.get(agent.name)) for agent in agents], workers


def live_workers(settings: Settings) -> list[WorkerReport]:
    """The latest report of each worker that is still alive; the topic is compacted, and small."""
    now_ms = time.time_ns() // 1_000_000
    latest: dict[bytes, bytes | None] = {}
    try:
        for message in whole_topic(settings, settings.names.topic(WORKERS_TOPIC), since_ms=now_ms - 2 * _ALIVE_MS):
            latest[message.key() or b""] = message.value()
    except UnknownTopicError:
        return []
    reports = [msgspec.json.decode(value, type=WorkerReport) for value in latest.values() if value is not None]
    return sorted((report for report in reports if now_ms - report.at_ms < _ALIVE_MS), key=lambda report: report.worker)


def whole_topic(settings: Settings, topic: str, *, since_ms: int = 0) -> list[Any]:
    """Every record of a topic since a time, in milliseconds since the epoch.

    Raises:
        UnknownTopicError: when there is no such topic.
    """
    reader = TopicReader(settings, topic)
    try:
        return list(reader.read(reader.offsets(Position("time", since_ms)), reader.offsets(END)))
    finally:
        reader.close()


def _overview(settings: Settings) -> dict[str, Any]:
    """What the overview agent has counted, by agent; empty without its database or its libraries."""
    try:
        from consumers import overview
    except ImportError:
        return {}
    group = settings.names.group(overview.AGENT)
    return {figures.agent: figures for figures in overview.totals(settings.database_url, group=group)}


def _agent_state(
    settings: Settings, agent: Agent, view: BrokerView, workers: list[WorkerReport], counted: Any
) -> AgentState:
    names = settings.names
    topics = [names.topic(topic) for topic in agent.topics]
    retries = sorted(topic for topic in view.topics() if names.is_retry(agent.name, topic))
    partitions = _partitions(names.group(agent.name), [*topics, *retries], view, _owners(agent, workers))
    mine = [report for worker in workers for report in worker.agents if report.name == agent.name]
    return AgentState(
        agent=agent.name,
        group=names.group(agent.name),
        workers=len(mine),
        end=sum(partition.end for partition in partitions if partition.topic in topics),
        lag=sum(partition.lag for partition in partitions),
        rate=round(sum(report.rate for report in mine), 1),
        overall_rate=round(sum(report.overall_rate for report in mine), 1),
        handled=sum(report.handled for report in mine),
        results=counted.results if counted else sum(report.results for report in mine),
        retried=sum(report.retried for report in mine),
        waited=sum(report.waited for report in mine),
        failures=counted.failures if counted else 0,
        p50_ms=_widest(mine, "p50_ms") if counted is None or counted.p50_ms is None else round(counted.p50_ms, 3),
        p99_ms=_widest(mine, "p99_ms") if counted is None or counted.p99_ms is None else round(counted.p99_ms, 3),
        dead_letters=view.records_in(names.dead_letter(agent.name)),
        hung=sum(report.hung for report in mine),
        careful=sum(report.careful for report in mine),
        circuits={name: for_s for report in mine for name, for_s in report.circuits.items()},
        partitions=partitions,
    )


def _widest(reports: list[AgentReport], field: str) -> float | None:
    """The slowest worker's figure: percentiles of several workers cannot be added."""
    values = [value for report in reports if (value := getattr(report, field)) is not None]
    return round(max(values), 3) if values else None


def _owners(agent: Agent, workers: list[WorkerReport]) -> dict[tuple[str, int], tuple[str, str | None]]:
    return {
        (partition.topic, partition.partition): (worker.worker, partition.stopped)
        for worker in workers
        for report in worker.agents
        if report.name == agent.name
        for partition in report.partitions
    }


def _partitions(
    group: str, topics: list[str], view: BrokerView, owners: dict[tuple[str, int], tuple[str, str | None]]
) -> list[PartitionState]:
    states = []
    commits = view.commits(group, topics)
    for place, (low, high) in sorted(view.ends(topics).items()):
        committed = commits[place].offset if place in commits else None
        owner, stopped = owners.get(place, (None, None))
        lag = high - max(low, committed if committed is not None else low)
        states.append(PartitionState(*place, committed, high, max(0, lag), owner, stopped))
    return states
