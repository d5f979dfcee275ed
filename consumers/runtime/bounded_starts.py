"""Where a replay's partitions start: at its own commit, else at the beginning of its range. It never falls back."""

from collections.abc import Mapping

import structlog

from consumers.runtime.agent import Agent
from consumers.runtime.assignment import Assignment
from consumers.runtime.bounds import Bounds, Span
from consumers.runtime.broker_view import BrokerView
from consumers.runtime.errors import AgentFailedError
from consumers.runtime.metadata import Note, decode
from consumers.runtime.offsets import Committed, Log, Start
from consumers.runtime.starts import Found, Place, Starts

log = structlog.get_logger("headrace.replay")


class BoundedStarts(Starts):
    """The twin of Starts for a replay: the job's range and its own commits answer, not the agent's policies.

    Args:
        agent: from the catalogue.
        view: of the broker.
        bounds: of the replay.
        owner: whose mark the partitions get.
    """

    def __init__(self, agent: Agent, view: BrokerView, bounds: Bounds, *, owner: str) -> None:
        super().__init__(agent, bounds.group, view, memory=("", 0), state=None, owner=owner)
        self._bounds = bounds

    def _resolved(self, places: list[Place], _former: Mapping[Place, Committed]) -> Found:
        logs, commits = self._view.logs(places), self._view.commits(self._group, {topic for topic, _ in places})
        return Found({place: self._bounded(place, logs[place], commits.get(place)) for place in places}, logs=None)

    def _bounded(self, place: Place, log_now: Log, commit: Committed | None) -> Assignment:
        span = self._bounds.spans.get(place) or Span(log_now.topic_id, log_now.high, log_now.high)
        if span.topic_id != log_now.topic_id:
            raise AgentFailedError(
                f"the topic {place[0]} was deleted and made again: nothing of the range is left in it"
            )
        wanted = max(span.start, commit.offset) if commit else span.start
        at = max(wanted, min(log_now.low, span.end))
        if at > wanted:
            self._bounds.lost[place] = at - wanted
            log.warning("retention_passed", topic=place[0], partition=place[1], lost=f"{wanted} to {at - 1}")
        done = decode(commit.said).done if commit is not None and commit.offset == at else b""
        note = Note(log_now.topic_id, done=done)
        start = Start(at)
        assignment = Assignment.of(self._agent, *place, note, start, committed=commit.offset if commit else -1)
        assignment.bound = self._bounds.bound(span.end)
        self._mark(assignment, commit, log_now)
        return assignment
