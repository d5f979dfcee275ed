"""From what was asked to a job and its plan; whatever cannot be done is refused here, all of it at once."""

import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from consumers.runtime.agent import Agent
from producers.errors import UnknownTopicError
from schemas.catalogue import Catalogue
from schemas.errors import ConfigurationError
from schemas.settings import Settings
from streams.positions import END, Position, parse, parse_range
from streams.replay import chosen, plan, rewind
from streams.replay.estimate import expected
from streams.replay.groups import Groups
from streams.replay.job import Job, Mode, new_id, now_ms

ANALYTICS = "consumers.analytics"
"""The module of the only exact agent whose rows a replay knows how to replace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked, as the command line has it."""

    topic: str
    start: str
    end: str | None = None
    mode: Mode = "shadow"
    agent: str | None = None
    key: str | None = None
    where: str | None = None
    to_topic: str | None = None
    publish: bool = False
    pause: bool = False
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that has not begun.

    Attributes:
        job: the job; nothing of it is written down yet.
        rows: the plan, a row a partition.
        notes: what a person should know before they agree.
    """

    job: Job
    rows: list[dict[str, Any]]
    notes: list[str]


def prepare(request: Request, settings: Settings, catalogue: Catalogue) -> Prepared:
    """The job and its plan, by the broker's word.

    Raises:
        ConfigurationError: naming everything that does not go together.
        PositionError: for what is no position.
        WhereError: for what is no condition on the topic's fields.
        UnknownTopicError: when the topic, or the one to copy to, is missing.
        GroupBusyError: when a group that is to be moved has members.
    """
    start, until = _positions(request)
    end = until or END
    agent = None if request.mode == "republish" else _agent(request, catalogue)
    problems = [*_misfits(request, ends=until is not None), *_exact_problems(request, agent)]
    if problems:
        raise ConfigurationError(problems)
    if request.where is not None:
        chosen.check(request.where, request.topic, catalogue)
    if request.key is not None:
        chosen.key_bytes(request.key)
    if agent is not None and agent.exact:
        from streams.replay import window_plan  # SQLAlchemy and NumPy, which other replays need not load

        return window_plan.prepare(request, settings, agent, start, end)
    found = plan.look_up(settings, settings.names.topic(request.topic), start, end)
    job = _job(request, found, agent)
    rows = [
        {"partition": part.partition, "from": part.start, "to": part.end, "records": part.records}
        for part in found.parts
    ]
    notes = [_headline(job, settings), *([expected(job, settings)] if job.records else []), *found.losses()]
    if request.mode == "rewind":
        rows = _check_group(job, settings, rows)
    if request.mode == "republish":
        _check_target(settings, settings.names.topic(str(request.to_topic)))
    return Prepared(job, rows, notes)


def _positions(request: Request) -> tuple[Position, Position | None]:
    """Where to begin and where to end; None where no end is named."""
    at_ms = time.time_ns() // 1_000_000
    start, end = parse_range(request.start, now_ms=at_ms)
    if end is not None and request.end is not None:
        raise ConfigurationError([f"--from {request.start} names an end already: leave out --to {request.end}"])
    if request.end is not None:
        end = parse(request.end, now_ms=at_ms)
    return start or parse("start", now_ms=at_ms), end


def _agent(request: Request, catalogue: Catalogue) -> Agent:
    """The agent that reads the topic."""
    agents: tuple[Agent, ...] = catalogue.agents
    readers = [agent for agent in agents if request.topic in agent.topics]
    names = ", ".join(agent.name for agent in readers)
    if request.agent is None:
        if len(readers) == 1:
            return readers[0]
        why = f"several agents read {request.topic}: name one of {names} by --agent" if readers else _unread(request)
        raise ConfigurationError([why])
    named = [agent for agent in agents if agent.name == request.agent]
    if not named:
        known = ", ".join(agent.name for agent in agents)
        raise ConfigurationError([f"there is no agent {request.agent!r}; the catalogue has {known}"])
    if named[0] not in readers:
        reads = ", ".join(named[0].topics)
        raise ConfigurationError([f"agent {request.agent} does not read {request.topic}; it reads {reads}"])
    return named[0]


def _unread(request: Request) -> str:
    return (
        f"no agent of the catalogue reads {request.topic}; copy it with --mode republish, or look at it: headrace tail"
    )


def _misfits(request: Request, *, ends: bool) -> list[str]:
    """Options that do not go with the mode; `ends` says whether an end is named."""
    given = {
        "--agent": request.agent is not None,
        "--key": request.key is not None,
        "--where": request.where is not None,
        "--to-topic": request.to_topic is not None,
        "--publish": request.publish,
        "--pause": request.pause,
        "--rate": request.rate is not None,
        "--to": ends,
    }
    unfit = {
        "shadow": {"--to-topic": "is for --mode republish", "--pause": "is for --mode rewind"},
        "republish": {
            "--agent": "is not for a republish, which no agent works on",
            "--publish": "is for --mode shadow",
            "--pause": "is for --mode rewind",
        },
        "rewind": {
            "--to": "is not for a rewind: the group goes on to the end; use a shadow for a part",
            "--key": "is not for a rewind: the group reads every record again",
            "--where": "is not for a rewind: the group reads every record again",
            "--rate": "is not for a rewind: its workers go as fast as they can",
            "--publish": "is for --mode shadow; a rewound group publishes as ever",
            "--to-topic": "is for --mode republish",
        },
    }[request.mode]
    problems = [f"{option} {why}" for option, why in unfit.items() if given[option]]
    if request.mode == "republish" and request.to_topic is None:
        problems.append("--mode republish needs --to-topic")
    return problems


def _exact_problems(request: Request, agent: Agent | None) -> list[str]:
    if agent is None or not agent.exact:
        return []
    if request.mode == "rewind":
        return [f"{agent.name} is an exact agent: its stored offsets win over the group's; use --mode shadow"]
    if not agent.handler.startswith(f"{ANALYTICS}:"):
        return [f"{agent.name} is an exact agent whose rows no replay knows how to replace; only analytics' can be"]
    named = {"--key": request.key, "--where": request.where, "--publish": request.publish, "--rate": request.rate}
    why = f"is not for {agent.name}: its windows are counted anew from all of their records"
    return [f"{option} {why}" for option, given in named.items() if given]


def _job(request: Request, found: plan.Plan, agent: Agent | None) -> Job:
    at_ms = now_ms()
    return Job(
        id=new_id(),
        mode=request.mode,
        topic=request.topic,
        topic_id=found.topic_id,
        slices=found.slices,
        start=request.start,
        end=request.end or "end",
        agent=agent.name if agent else None,
        key=request.key,
        where=request.where,
        rate=request.rate,
        to_topic=request.to_topic,
        publish=request.publish,
        pause=request.pause,
        created_ms=at_ms,
        updated_ms=at_ms,
    )


def _headline(job: Job, settings: Settings) -> str:
    """What will happen, in a sentence."""
    only = " and ".join(
        filter(None, (f"key {job.key}" if job.key else None, f"where {job.where}" if job.where else None))
    )
    part = f", only of {only}" if only else ""
    if job.mode == "republish":
        return f"copies up to {job.records:,} records of {job.topic} to {job.to_topic}{part}"
    if job.mode == "rewind":
        return (
            f"sets the group {settings.names.group(str(job.agent))} back: its workers read {job.topic} from there again"
        )
    where = "go to the live topic" if job.publish else "stand aside"
    group = settings.names.bare(job.group(settings.names))
    return (
        f"{job.agent} works on up to {job.records:,} records of {job.topic} again{part}, in the group {group}; "
        f"results {where}"
    )


def _check_target(settings: Settings, target: str) -> None:
    with closing(Groups(settings)) as groups:
        if not groups.topic_exists(target):
            raise UnknownTopicError(f"the broker has no topic {target} to copy to; create it first", topic=target)


def _check_group(job: Job, settings: Settings, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The plan with where the group stands now; refused here already where it would be refused later."""
    agent = str(job.agent)
    group = settings.names.group(agent)
    with closing(Groups(settings)) as groups:
        members = groups.members(group)
        if members and not job.pause:
            raise rewind.busy(group, members)
        if job.pause:
            rewind.check(groups, settings, agent)
        stands = groups.reached(group, settings.names.topic(job.topic))
    return [{**row, "committed": stands.get(row["partition"])} for row in rows]
