"""After a run: read the ledger, the rows, the topics and the samples into each agent's evidence."""

from collections import defaultdict
from hashlib import sha256
from typing import Any

import msgspec

from consumers.runtime.broker_view import BrokerView
from consumers.runtime.kit import open_kit
from schemas import names as wire
from streams.report import WorkerReport
from tests.chaos import ledger, rows
from tests.chaos.agents import DONE, RETRY_DELAYS_S, UNORDERED
from tests.chaos.evidence import NEVER_NS, Attack, Evidence, LetterSeen, Place, ResultSeen
from tests.chaos.handlers import object_of
from tests.chaos.headers import number_of
from tests.chaos.holdings import Holding, holdings
from tests.chaos.ledger import Handling
from tests.chaos.load import Sent
from tests.chaos.records import TaskDone
from tests.chaos.stage import Stage
from tests.support.topics import read_all

_MS_NS = 1_000_000
_ORIGIN = frozenset({wire.ORIGIN_TOPIC, wire.ORIGIN_PARTITION, wire.ORIGIN_OFFSET})


def evidence_of(stage: Stage) -> list[Evidence]:
    """One for each agent of the run."""
    places = _places(stage)
    results = _results(stage)
    attacks = [Attack(blow.fault, blow.at_ns, blow.pid, blow.over_ns) for blow in stage.blows]
    return [_of_agent(stage, agent, places, results.get(agent, {}), attacks) for agent in stage.options.agents]


def most_in_hand(stage: Stage) -> dict[str, int]:
    """The most records that any worker had in hand, by agent, as the workers' own reports say every two seconds."""
    most: dict[str, int] = defaultdict(int)
    for message in _read(stage, stage.direct.names.topic(wire.WORKERS_TOPIC)):
        if message.value():
            for agent in msgspec.json.decode(message.value(), type=WorkerReport).agents:
                most[agent.name] = max(most[agent.name], sum(partition.in_hand for partition in agent.partitions))
    return dict(most)


def _of_agent(
    stage: Stage,
    agent: str,
    places: dict[int, Place],
    results: dict[int, list[ResultSeen]],
    attacks: list[Attack],
) -> Evidence:
    group, sent = stage.direct.names.group(agent), stage.producer.sent
    exact = agent == "rows"
    return Evidence(
        agent=agent,
        ordered=not exact and agent not in UNORDERED,
        exact=exact,
        publishes=not exact,
        sent=sent,
        acked=frozenset(stage.producer.acked),
        places=places,
        handlings=rows_of(stage) if exact else ledger.read(stage.folder / ledger.FOLDER, agent),
        results=results,
        letters=letters_of(stage, agent),
        parked=_parked(stage, agent) if agent in UNORDERED else {},
        commits=[commit for commit in stage.sampler.commits if commit.group == group],
        final=stage.sampler.offsets(group),
        excused=[*stage.excused, *stage.said_lost.get(agent, [])],
        objects=_objects(stage) if agent == "tasks" and "store" in stage.options.names else None,
        attacks=attacks,
        trips=list(stage.witness.trips) if stage.witness else (),
        holdings=_holdings(stage, agent),
        epoch=stage.epoch,
        poison=frozenset(number for number, record in sent.items() if record.dies(agent)),
    )


def _holdings(stage: Stage, agent: str) -> dict[tuple[int, int], list[Holding]]:
    """By (pid, partition), as the workers' logs tell."""
    return {
        (pid, partition): held
        for pid, log in stage.crew.logs.items()
        for partition, held in holdings(log.read_text(errors="replace"), agent=agent, topic=stage.topic).items()
    }


def _places(stage: Stage) -> dict[int, Place]:
    """Where each record stands: by its report, and by the log, which also holds what was written without a report."""
    logged: dict[int, Place] = {}
    for message in _read(
        stage, stage.topic
    ):  # the first where there are two: its offset is what a commit must not pass
        logged.setdefault(number_of(dict(message.headers())), (stage.epoch, message.partition(), message.offset()))
    return {**stage.producer.places, **logged}


def rows_of(stage: Stage) -> list[Handling]:
    """The rows of the exact agent, in the form of the ledger; order by key is not its promise."""
    return [
        Handling(row.number, "", 0, 1, row.pid, row.partition, row.offset, row.at_ns, row.at_ns, row.intact)
        for row in rows.read(stage.database_url)
    ]


def _objects(stage: Stage) -> dict[int, str]:
    """The digests of what the handlers have put into the object store, by number."""
    whole = [file for file in stage.objects.glob(object_of("*")) if file.name.isdecimal()]  # not what is being written
    return {int(file.name): sha256(file.read_bytes()).hexdigest() for file in whole}


def _results(stage: Stage) -> dict[str, dict[int, list[ResultSeen]]]:
    """What stands in the result topic, by agent and number."""
    codec = open_kit(stage.direct).codec
    found: dict[str, dict[int, list[ResultSeen]]] = defaultdict(lambda: defaultdict(list))
    for message in _read(stage, stage.direct.names.topic(DONE)):
        done = codec.decode(message.value(), TaskDone)
        agent = dict(message.headers())[wire.SOURCE_AGENT].decode()
        seen = ResultSeen(done.number, message.timestamp()[1] * _MS_NS, done.digest)
        found[agent][done.number].append(seen)
    return found


def letters_of(stage: Stage, agent: str) -> dict[int, list[LetterSeen]]:
    """What stands in the agent's dead-letter topic, each compared with its origin byte for byte."""
    return _copies_in(stage, stage.direct.names.dead_letter(agent), {*_ORIGIN, wire.ERROR_CLASS})


def waiting(stage: Stage, view: BrokerView, agent: str) -> dict[str, int]:
    """How many records wait in an agent's retry topics, by topic and partition; only where any do."""
    topics = {
        stage.direct.names.retry(agent, delay_s) for delay_s in (0, *RETRY_DELAYS_S[agent])
    }  # 0: when it is mended
    commits = view.commits(stage.direct.names.group(agent), topics)
    left = {
        place: high - (commits[place].offset if place in commits else low)
        for place, (low, high) in view.ends(topics).items()
    }
    return {f"{topic} {partition}": count for (topic, partition), count in left.items() if count > 0}


def redriven_of(stage: Stage, agent: str) -> dict[int, list[LetterSeen]]:
    """What was redriven to the mended agent, likewise: what stands in the retry topic that is for redrive alone."""
    return _copies_in(stage, stage.direct.names.retry(agent, 0), {*_ORIGIN, wire.REDRIVES})


def _parked(stage: Stage, agent: str) -> dict[int, int]:
    """When each record came to one of the agent's retry topics for the first time, by number."""
    found: dict[int, int] = {}
    for delay_s in RETRY_DELAYS_S[agent]:
        for number, copies in _copies_in(stage, stage.direct.names.retry(agent, delay_s), set(_ORIGIN)).items():
            found[number] = min(found.get(number, NEVER_NS), *(copy.at_ns for copy in copies))
    return found


def _copies_in(stage: Stage, topic: str, needed: set[str]) -> dict[int, list[LetterSeen]]:
    """The records of a topic, by number, each compared with the one that was sent; with the headers that each must have."""
    found: dict[int, list[LetterSeen]] = defaultdict(list)
    for message in _read(stage, topic):
        headers = dict(message.headers())
        number = number_of(headers)
        flaw = _flaw(message, stage.producer.sent.get(number), needed - headers.keys())
        found[number].append(LetterSeen(number, message.timestamp()[1] * _MS_NS, flaw))
    return dict(found)


def _flaw(message: Any, sent: Sent | None, missing: set[str]) -> str:
    if sent is None:
        return "nobody sent such a record"
    if sha256(message.value() or b"").digest() != sent.value_digest:
        return "its value is not its origin's"
    if message.key() != sent.key.encode():
        return "its key is not its origin's"
    return f"it lacks the headers {sorted(missing)}" if missing else ""


def _read(stage: Stage, topic: str) -> list[Any]:
    return read_all(stage.stack.bootstrap_servers, topic)
