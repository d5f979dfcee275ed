"""What the runner may ask of an executor, whichever it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from consumers.runtime.agent import Agent
from consumers.runtime.agent import Executor as Kind
from consumers.runtime.chunk import Chunk
from consumers.runtime.record import Outcome
from consumers.runtime.work import Kit, Work

if TYPE_CHECKING:
    from consumers.runtime.batch_work import BatchWork
    from consumers.runtime.state import State


@dataclass(frozen=True, slots=True, eq=False)
class Completed:
    """A chunk that is back, with one outcome for each of its records."""

    chunk: Chunk
    outcomes: list[Outcome]


Done = Callable[[Completed], None]


class Executor(Protocol):
    """Runs chunks; answers for each of them once, by `done`, from whatever thread."""

    @property
    def broken(self) -> BaseException | None:
        """Why no chunk can run at all (a pool that cannot start), or None."""

    @property
    def hung(self) -> int:
        """How many handlers were given up at their deadline and still hold a thread."""

    @property
    def free(self) -> int:
        """How many chunks may be submitted now; none at 0 and below."""

    def start(self) -> None:
        """Get ready; once."""

    def submit(self, chunk: Chunk) -> None:
        """Run the chunk; only when `free` is above 0."""

    def running(self) -> list[Chunk]:
        """The chunks in hand: those that run now, and those that wait for their turn."""

    def expire(self, now_s: float) -> None:
        """Give up every record that is past its deadline; its chunk comes back by `done`."""

    def cancel(self, chunk: Chunk) -> None:
        """End the chunk without an answer: nobody waits for it any more."""

    def close(self, limit_s: float) -> None:
        """Give everything back; what still runs after `limit_s` seconds is given up."""


def make_executor(agent: Agent, kit: Kit, *, state: "State | None", done: Done) -> Executor:
    """The executor that the catalogue names for the agent; what may kill its process runs in others."""
    if agent.executor is Kind.PROCESSES:
        from consumers.runtime.executors.processes import Processes

        return Processes(agent, kit, children=agent.concurrency, done=done)
    from consumers.runtime.executors.isolating import Isolating

    return Isolating(_in_process(agent, kit, state=state, done=done), agent, kit, done=done)


def _in_process(agent: Agent, kit: Kit, *, state: "State | None", done: Done) -> Executor:
    from consumers.runtime.executors.inline import Inline
    from consumers.runtime.executors.threads import Threads

    if agent.executor is Kind.ASYNCIO:
        from consumers.runtime.executors.event_loops import EventLoops

        return EventLoops(Work(agent, kit), concurrency=agent.concurrency, done=done)
    batches = _batch_work(agent, kit, state) if agent.batch_records else None
    work = batches or Work(agent, kit)
    if agent.executor is Kind.INLINE:
        return Inline(work, done=done)
    # Without a transaction a third thread costs more than it brings: "Large batches" in docs/performance.md.
    prepare = batches.prepare if batches and agent.exact else None
    return Threads(work, name=agent.name, concurrency=agent.concurrency, done=done, prepare=prepare)


def _batch_work(agent: Agent, kit: Kit, state: "State | None") -> "BatchWork":
    from consumers.runtime.batch_work import BatchWork  # polars with it, which other agents may never need

    return BatchWork(agent, kit, state=state)
