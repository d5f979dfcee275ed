"""Where assigned partitions start: the stored offset, else the commit, else the catalogue's word.

Asked of the broker and the database in a thread of its own, for as long as it takes: polling goes on meanwhile, and a
partition without a leader, or a database that is down, costs neither the membership nor the worker.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from confluent_kafka import KafkaException

from consumers.errors import Unavailable
from consumers.runtime.agent import Agent, Executor
from consumers.runtime.assignment import Assignment
from consumers.runtime.broker_view import BrokerView, is_final, reason_of
from consumers.runtime.metadata import Birth, Note, decode, decode_logs
from consumers.runtime.offsets import Committed, Log, Start, birth_of, start_of
from consumers.runtime.suspects import Suspects, take_over

if TYPE_CHECKING:
    from consumers.runtime.state import Position, State

log = structlog.get_logger("headrace.agent")

_PAUSE_S = 0.5
_PASSING = (KafkaException, TimeoutError, Unavailable)

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Found:
    """Where partitions start.

    Attributes:
        assignments: those that may be taken now.
        logs: the logs that the group is to remember, as topic ids by topic; None for no change.
        rest: partitions that the broker does not know yet: one without a leader keeps no other waiting.
    """

    assignments: dict[Place, Assignment]
    logs: dict[str, str] | None
    rest: "LookUp | None" = None


@dataclass(frozen=True, slots=True, eq=False)
class LookUp:
    """Partitions whose start is asked for.

    Attributes:
        waiting: their assignments in the meantime, from which nothing is taken.
        former: how far this process itself has read logs that may be gone.
        found: the answer, or the error after which the agent cannot go on.
    """

    waiting: dict[Place, Assignment]
    former: Mapping[Place, Committed]
    found: "Future[Found]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the broker says, and what this process remembers."""

    logs: dict[Place, Log]
    commits: dict[Place, Committed]
    former: Mapping[Place, Committed]
    memory: Place

    @property
    def remembered(self) -> dict[str, str]:
        """The logs that the group has read: topic ids by topic."""
        return decode_logs(self.commits[self.memory].said) if self.memory in self.commits else {}

    def is_read(self, topic: str) -> bool:
        """Whether the group has read the topic before."""
        return any(of_topic == topic for of_topic, _ in self.commits)

    def birth(self, topic: str) -> Birth:
        """When the group began to read the topic."""
        notes = [decode(commit.said) for (of_topic, _), commit in self.commits.items() if of_topic == topic]
        log_now = next(log_now for (of_topic, _), log_now in self.logs.items() if of_topic == topic)
        return birth_of(notes, log_now, now_ms=time.time_ns() // 1_000_000)

    def past(self, place: Place) -> Committed | None:
        """How far a log was read that another one of the same name has replaced; None where it is the same."""
        known = [self.former[place]] if place in self.former else []
        known += [Committed(-1, self.remembered[place[0]])] if place[0] in self.remembered else []
        return next((past for past in known if past.topic_id != self.logs[place].topic_id), None)


class Starts:
    """Looks up starts; each look-up in a daemon thread, since rebalances are rare.

    Args:
        agent: from the catalogue.
        group: its consumer group.
        view: of the broker.
        memory: the partition whose commit remembers the logs: a deleted topic takes its own commits along.
        state: the exact state, for an agent that has one.
        owner: whose mark the partitions get; a name that no other process has.
    """

    def __init__(
        self, agent: Agent, group: str, view: BrokerView, *, memory: Place, state: "State | None", owner: str
    ) -> None:
        self._agent = agent
        self._group = group
        self._view = view
        self._memory = memory
        self._state = state
        self._owner = owner

    def look_up(self, places: Iterable[Place], former: Mapping[Place, Committed]) -> LookUp:
        """Begin to ask; `former` says how far this process itself has read logs that may be gone."""
        return self._begin({place: Assignment.waiting(self._agent, *place) for place in places}, dict(former))

    def _begin(self, waiting: dict[Place, Assignment], former: Mapping[Place, Committed]) -> LookUp:
        sought = LookUp(waiting, former)
        threading.Thread(target=self._ask, args=(sought,), name="starts", daemon=True).start()
        return sought

    def _ask(self, sought: LookUp) -> None:
        """Ask until there is an answer, until none is wanted any more, or until none can come."""
        try:
            while any(assignment.alive for assignment in sought.waiting.values()):
                found = self._found(sought)
                if found is not None:
                    sought.found.set_result(found)
                    return
                time.sleep(_PAUSE_S)
        except BaseException as error:  # a thread that ended silently would leave its partitions waiting for ever
            sought.found.set_exception(error)

    def _found(self, sought: LookUp) -> Found | None:
        """The answer, whole or in part; None while there is none."""
        try:
            return self._resolved(list(sought.waiting), sought.former)
        except _PASSING as error:
            self._say_waiting(sought.waiting.values(), error)
        return self._one_by_one(sought) if len(sought.waiting) > 1 else None

    def _one_by_one(self, sought: LookUp) -> Found | None:
        """Those partitions of several that can be found alone; None where that is none."""
        taken: dict[Place, Assignment] = {}
        logs: dict[str, str] = {}
        for place, waiting in sought.waiting.items():
            try:
                found = self._resolved([place], sought.former)
            except _PASSING as error:
                self._say_waiting([waiting], error)
            else:
                taken |= found.assignments
                logs |= found.logs or {}
        rest = {place: waiting for place, waiting in sought.waiting.items() if place not in taken}
        return Found(taken, logs or None, self._begin(rest, sought.former) if rest else None) if taken else None

    def _say_waiting(self, waiting: Iterable[Assignment], error: BaseException) -> None:
        """Say why partitions wait, in the log and in their status; what no patience heals is raised."""
        if is_final(error):
            raise error
        self._view.renew_after(error)
        for assignment in waiting:
            assignment.stopped = f"waits: {reason_of(error)}"
        log.warning("start_unknown", agent=self._agent.name, reason=reason_of(error), again_in_s=_PAUSE_S)

    def _resolved(self, places: list[Place], former: Mapping[Place, Committed]) -> Found:
        topics = {self._memory[0], *(topic for topic, _ in places)}
        facts = _Facts(self._view.logs(places), self._view.commits(self._group, topics), former, self._memory)
        found = {place: self._begun(place, facts) for place in places}
        read = {place[0]: facts.logs[place].topic_id for place in places if found[place].stopped is None}
        return Found(found, None if read.items() <= facts.remembered.items() else {**facts.remembered, **read})

    def _begun(self, place: Place, facts: "_Facts") -> Assignment:
        log_now = facts.logs[place]
        known = facts.commits.get(place) if self._state is None else self._stored(_position(place, log_now))
        known = known or facts.past(place)
        birth = facts.birth(place[0])
        start = start_of(known, log_now, first=self._first(place, facts, birth), reset=self._agent.reset)
        if start.misfit:
            self._tell_misfit(place, start)
        if self._state is not None and not start.stopped:
            stored = known.offset if known is not None and known.topic_id == log_now.topic_id else None
            self._state.begin(_position(place, log_now), start.offset, replacing=stored if start.misfit else None)
        commit = facts.commits.get(place)
        done = decode(commit.said).done if commit is not None and known is commit and not start.misfit else b""
        note = Note(log_now.topic_id, birth, done)
        fresh = Assignment.of(self._agent, *place, note, start, committed=commit.offset if commit else -1)
        self._mark(fresh, commit, log_now)
        return fresh

    def _mark(self, fresh: Assignment, commit: Committed | None, log_now: Log) -> None:
        """Whose it is, and which of its records the owners before may have died of; a child's death is its parent's to count."""
        if self._agent.executor is Executor.PROCESSES or fresh.stopped is not None:
            return
        fits = commit is not None and commit.topic_id == log_now.topic_id
        said = decode(commit.said) if commit is not None and fits else Note()
        hold = take_over(said, owner=self._owner, start=fresh.started_at, high=log_now.high)
        died = [each for each in said.died if fresh.started_at <= each[0] < log_now.high]
        fresh.held_by(hold, Suspects.of(hold, died, high=log_now.high))
        if said.hold is not None and said.hold.owner == self._owner:
            # An assignment before this one has told it: it is still to be taken away when this one is left.
            fresh.note = fresh.note._replace(hold=said.hold)
        if fresh.careful:
            log.warning(
                "taken_carefully",
                agent=self._agent.name,
                topic=fresh.topic,
                partition=fresh.partition,
                offsets=f"{fresh.started_at} to {fresh.suspects.until - 1}",
                deaths=hold.deaths,
                children_died=dict(died) or None,
                meaning="its last owners ended without leaving: what they may have died of runs in a child process",
            )

    def _first(self, place: Place, facts: "_Facts", birth: Birth) -> int:
        """Where the group begins a partition that it has never read.

        For "latest" that is where the partition ended when the group began: its members do not start at the same moment,
        and what came between is not to be passed over. A partition that was added later is read from its beginning.
        """
        if self._agent.start == "earliest" or (facts.is_read(place[0]) and place[1] >= birth.partitions):
            return facts.logs[place].low
        if not facts.is_read(place[0]):
            return facts.logs[place].high
        return self._view.offset_at(place, birth.at_ms)

    def _stored(self, position: "Position") -> Committed | None:
        """What the database says of this log, else of the last one that it has replaced. No row is the start policy's case."""
        if self._state is None:
            return None
        stored = self._state.start(position)
        return self._state.former(position) if stored is None else Committed(stored, position.topic_id)

    def _tell_misfit(self, place: Place, start: Start) -> None:
        name = self._agent.name
        log.error(
            "offset_out_of_log",
            agent=name,
            topic=place[0],
            partition=place[1],
            reason=start.misfit,
            policy="stop" if start.stopped else f"goes on at {start.offset}",
            remedy=f"start the worker with --reset {name}=earliest or {name}=latest" if start.stopped else None,
        )


def _position(place: Place, log_now: Log) -> "Position":
    from consumers.runtime.state import Position

    return Position(log_now.topic_id, *place)
