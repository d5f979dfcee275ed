"""An agent that holds work and does none is no agent: its worker ends, visibly, and the partitions move on."""

from collections.abc import Iterable

from consumers.runtime.agent import Agent
from consumers.runtime.assignment import Assignment
from consumers.runtime.circuit import Circuits
from consumers.runtime.errors import AgentFailedError

_DEADLINES = 3
_BESIDE_S = 60.0
"""Three deadlines, and a minute for what has none, such as the start of a child process."""


class Watchdog:
    """Looks for outcomes; the runner's thread alone calls it.

    Waiting is not standing still: for a due time, an acknowledgement, an open circuit. A handler without a deadline may
    take as long as it likes.

    Args:
        agent: from the catalogue.
        circuits: of its dependencies.
    """

    def __init__(self, agent: Agent, circuits: Circuits) -> None:
        self._agent = agent
        self._circuits = circuits
        self._outcomes = 0
        self._since_s: float | None = None

    def look(self, assignments: Iterable[Assignment], outcomes: int, now_s: float) -> None:
        """Note how many outcomes there have been by now.

        Raises:
            AgentFailedError: when there has been none for too long, while records could run.
        """
        holds_work = any(assignment.chunks or assignment.lanes.queued for assignment in assignments)
        if outcomes != self._outcomes or not holds_work or self._circuits.open or self._agent.deadline_s is None:
            self._outcomes, self._since_s = outcomes, None
            return
        self._since_s = self._since_s or now_s
        limit_s = self._agent.deadline_s * _DEADLINES + _BESIDE_S
        if now_s - self._since_s > limit_s:
            raise AgentFailedError(
                f"agent {self._agent.name} holds records and has finished none for {limit_s:g} s, not even with a failure"
            )
