"""What comes back to an agent's thread from others: chunks, acknowledgements, starts. Served in the order in which it came."""

from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Any

from consumers.runtime.agent import Agent
from consumers.runtime.chunk import Chunk, Purpose
from consumers.runtime.dispatch import Dispatch
from consumers.runtime.errors import AgentFailedError
from consumers.runtime.executors import Completed
from consumers.runtime.membership import Membership
from consumers.runtime.outputs import Ticket
from consumers.runtime.record import HELD, Failed, Outcome
from consumers.runtime.settlement import Settlement
from consumers.runtime.starts import LookUp

Event = Completed | Ticket | LookUp

_OF_RECORDS = frozenset({Purpose.RECORDS, Purpose.ALONE})
_ENDED_EARLY = frozenset({"died", "deadline"})


class Inbox:
    """Serves the events; the runner's thread alone calls it, the others only put into the queue.

    Args:
        agent: from the catalogue.
        events: what the others put into.
        settlement: what chunks and acknowledgements are for.
        dispatch: what an exact agent's errands are for.
        membership: restarts a partition whose writer was fenced.

    Attributes:
        found: starts that are known, to be taken outside of rebalance callbacks.
    """

    def __init__(
        self,
        agent: Agent,
        events: SimpleQueue[Event],
        settlement: Settlement,
        dispatch: Dispatch,
        membership: Membership,
    ) -> None:
        self._agent = agent
        self._events = events
        self._settlement = settlement
        self._dispatch = dispatch
        self._membership = membership
        self.found: list[LookUp] = []

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be served."""
        return self._events.empty()

    def wait(self, limit_s: float) -> bool:
        """Serve the next event, or return after so many seconds; whether there was one."""
        try:
            event = self._events.get(timeout=limit_s)
        except Empty:
            return False
        self._meet(event)
        return True

    def serve(self) -> None:
        """Serve everything that is back by now.

        Raises:
            AgentFailedError: when the agent is misconfigured, so that every record would fail.
        """
        while True:
            try:
                event = self._events.get_nowait()
            except Empty:
                return
            self._meet(event)

    def _meet(self, event: Event) -> None:
        if isinstance(event, Ticket):
            self._settlement.acknowledged(event)
        elif isinstance(event, LookUp):
            self.found.append(event)
        elif event.chunk.purpose in _OF_RECORDS:
            self._met_records(event)
        elif event.chunk.purpose is Purpose.TRIAL:
            self._met_trial(event)
        else:
            self._met_errand(event.chunk)

    def _met_trial(self, completed: Completed) -> None:
        """What the trial came to is nobody's business; that it was survived, or not, is."""
        (outcome,) = completed.outcomes
        if isinstance(outcome, Failed) and outcome.kind in _ENDED_EARLY:
            self._met_records(completed)
        else:
            self._dispatch.proven(completed.chunk)

    def _met_errand(self, chunk: Chunk) -> None:
        if chunk.failure is not None and chunk.failure.kind == "misconfigured":
            raise AgentFailedError(f"agent {self._agent.name} cannot work: {chunk.failure.message}")
        if self._dispatch.returned(chunk):
            self._membership.fenced(chunk.owner)

    def _met_records(self, completed: Completed) -> None:
        assignment: Any = completed.chunk.owner
        outcomes = completed.outcomes
        if self._agent.batch_records and outcomes.count(outcomes[0]) == len(outcomes):  # one outcome, many times
            outcomes = outcomes[:1]
        has_failed = Failed in map(type, outcomes)
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failed)] if has_failed else []
        kinds = {failure.kind for failure in failures}
        if "misconfigured" in kinds:
            reasons = {failure.message for failure in failures}
            raise AgentFailedError(f"agent {self._agent.name} cannot work: {'; '.join(sorted(reasons))}")
        if "fenced" in kinds and assignment.alive:
            self._membership.fenced(assignment)
        elif "deadline" in kinds and self._agent.batch_records and len(completed.chunk.records) > 1:
            assignment.batch_limit = max(1, len(completed.chunk.records) // 2)
            self._settlement.completed(Completed(completed.chunk, [HELD] * len(completed.outcomes)))
        else:
            if self._agent.batch_records:
                seen = completed.outcomes if has_failed else ()
                assignment.batch_limit = next_batch(self._agent, assignment.batch_limit, seen)
            self._settlement.completed(completed)


def next_batch(agent: Agent, limit: int, outcomes: Sequence[Outcome]) -> int:
    """The most records of a partition's next batch: twice as many as before, up to what the catalogue says.

    An exact agent stops before what cannot be decoded, and decodes once more what lies behind it. Of a flood of such records that
    is no more than twice what came between the last two.

    Args:
        agent: from the catalogue, with a batch handler.
        limit: the most records of the batch before.
        outcomes: of the batch before; they may be left out where none of them is a failure.
    """
    most = agent.batch_records or 1
    kinds = (isinstance(outcome, Failed) and outcome.kind == "undecodable" for outcome in outcomes)
    stopped_at = next((index for index, is_so in enumerate(kinds) if is_so), None) if agent.exact else None
    return min(most, limit * 2 if stopped_at is None else stopped_at + 1)
