"""An executor of the worker's own process, with child processes beside it for what may kill a process."""

import os

import structlog

from consumers.runtime.agent import Agent
from consumers.runtime.chunk import SUSPECTED, Chunk, Purpose
from consumers.runtime.executors.processes import Processes
from consumers.runtime.executors.protocol import Completed, Done, Executor
from consumers.runtime.record import HELD
from consumers.runtime.work import Kit

log = structlog.get_logger("headrace.agent")

_IDLE_S = 10.0
_MOST_CHILDREN = 4
"""Each runs one suspect at a time; more of them would take the machine from everything else."""


class Isolating:
    """Runs suspects in children, one at a time in each, and everything else as the catalogue says.

    The children start when the first suspect comes, and end when there was none for ten seconds. Where none can start (a
    module that cannot be imported twice on a machine, no memory for another process), suspects run like the others: an
    outage would be worse than a record that is not found.

    Args:
        usual: what runs everything else.
        agent: from the catalogue.
        kit: what its work stands on.
        done: called with what is back.
    """

    def __init__(self, usual: Executor, agent: Agent, kit: Kit, *, done: Done) -> None:
        self._usual = usual
        self._agent = agent
        self._kit = kit
        self._done = done
        self._children: Processes | None = None
        self._childless = False
        self._idle_since_s: float | None = None

    @property
    def broken(self) -> BaseException | None:
        """Why no chunk can run at all."""
        return self._usual.broken

    @property
    def hung(self) -> int:
        """How many handlers were given up at their deadline and still hold a thread."""
        return self._usual.hung

    @property
    def free(self) -> int:
        """How many chunks may be submitted now; suspects queue for their children."""
        return self._usual.free

    def start(self) -> None:
        """Start what runs everything else."""
        self._usual.start()

    def submit(self, chunk: Chunk) -> None:
        """Run the chunk; suspects and others are never in one."""
        if chunk.purpose not in SUSPECTED:
            self._usual.submit(chunk)
        elif self._childless:
            self._submit_all_the_same(chunk)
        else:
            if self._children is None:
                children = min(_MOST_CHILDREN, os.cpu_count() or 1)
                self._children = Processes(self._agent, self._kit, children=children, done=self._done)
                self._children.start()
            self._children.submit(chunk)

    def running(self) -> list[Chunk]:
        """The chunks that run now."""
        return [*self._usual.running(), *(self._children.running() if self._children else ())]

    def expire(self, now_s: float) -> None:
        """Give up what is past its deadline; hand back what no child can run; end children that nothing needs."""
        self._usual.expire(now_s)
        if self._children is None:
            return
        if self._children.broken is not None:
            self._go_without(self._children, self._children.broken)
        elif self._children.running():
            self._idle_since_s = None
        elif self._idle_since_s is None:
            self._idle_since_s = now_s
        elif now_s - self._idle_since_s > _IDLE_S:
            self._children.dismiss()
            self._children = self._idle_since_s = None

    def cancel(self, chunk: Chunk) -> None:
        """End the chunk without an answer."""
        if self._children is not None and chunk in self._children.running():
            self._children.cancel(chunk)
        else:
            self._usual.cancel(chunk)

    def close(self, limit_s: float) -> None:
        """Give everything back."""
        self._usual.close(limit_s)
        if self._children is not None:
            self._children.close(limit_s)

    def _submit_all_the_same(self, chunk: Chunk) -> None:
        """Without children a trial is not held, and a record is handled like any other."""
        if chunk.purpose is Purpose.TRIAL:
            if chunk.answer():
                self._done(Completed(chunk, chunk.settled(HELD)))
            return
        self._usual.submit(chunk)

    def _go_without(self, children: Processes, reason: BaseException) -> None:
        self._children, self._childless = None, True
        log.error(
            "suspects_in_the_worker",
            agent=self._agent.name,
            reason=str(reason),
            meaning="what may have killed the last owners runs in the worker again: should it kill this one, it is not found",
        )
        for chunk in children.dismiss():
            self._done(Completed(chunk, chunk.settled(HELD)))
