"""Handing over: which records go to the executor now, and an exact agent's own errands beside them."""

import math
import time
from collections.abc import Iterable, Sequence
from typing import Any

import structlog

from consumers.runtime.agent import Agent
from consumers.runtime.assignment import Assignment
from consumers.runtime.block import offsets_of
from consumers.runtime.chunk import SUSPECTED, Chunk, Purpose
from consumers.runtime.circuit import Circuits
from consumers.runtime.executors import Executor
from consumers.runtime.flow import Flow
from consumers.runtime.record import Record

log = structlog.get_logger("headrace.agent")

_HAND_OVER_S = 0.05
_TICK_INTERVAL_S = 1.0
_SUSPECTED_CHUNKS = 2
"""Of a partition: one that a child works on, and one that waits for it, or has another child."""
_BRIEF_LIMIT_S = 0.1
"""Records that were brief so far are handed over by the thousand: what turns out not to be is divided among the lanes."""


class Dispatch:
    """Cuts chunks from the lanes for as long as the executor has room.

    Args:
        agent: from the catalogue.
        executor: where chunks run.
        flow: says how large a chunk is.
        circuits: say whether a dependency is waited for.
    """

    def __init__(self, agent: Agent, executor: Executor, flow: Flow, circuits: Circuits) -> None:
        self._agent = agent
        self._executor = executor
        self._flow = flow
        self._circuits = circuits
        self._turn = 0
        self._ticking = False
        self._next_tick_s = 0.0
        self._next_advance_s = 0.0

    def hand_over(self, assignments: Iterable[Assignment], horizons: dict[Assignment, int] | None = None) -> None:
        """Chunks of each partition in turn; an inline one no longer than a chunk's work, so that polling goes on.

        Args:
            assignments: what is owned, or what is being drained.
            horizons: of a drain: only offsets below these.
        """
        allowed = self._circuits.allowance(time.monotonic())
        if self._flow.congested or allowed == 0:
            return
        now_s = time.monotonic()
        waiting = [
            a
            for a in assignments
            if a.lanes.may_run and a.stopped is None and not a.advancing and not a.waits_for_mark(now_s)
        ]
        until_s = now_s + _HAND_OVER_S
        while waiting and self._executor.free > 0 and time.monotonic() < until_s:
            self._turn += 1
            assignment = waiting[self._turn % len(waiting)]
            limit = allowed or assignment.batch_limit or self._flow.chunk_records
            below = horizons[assignment] if horizons else None
            if not self._begin(assignment, limit, below):
                waiting.remove(assignment)
            elif allowed is not None:
                self._circuits.probing(time.monotonic())
                return

    def errands(self, assignments: Iterable[Assignment], now_s: float) -> None:
        """An exact agent's tick, about once a second, and its stored offsets where they lag behind for no reason."""
        for assignment in assignments:
            if self._executor.free <= 0:
                return
            if self._agent.tick and not self._ticking and now_s >= self._next_tick_s:
                self._next_tick_s, self._ticking = now_s + _TICK_INTERVAL_S, True
                self._submit_errand(assignment, Purpose.TICK)
            elif now_s >= self._next_advance_s and self._lags_for_no_reason(assignment):
                assignment.advancing = True
                self._submit_errand(assignment, Purpose.ADVANCE)

    def returned(self, chunk: Chunk) -> bool:
        """An errand is back; whether its partition was fenced."""
        assignment: Any = chunk.owner
        assignment.chunks.discard(chunk)
        if chunk.purpose is Purpose.TICK:
            self._ticking = False
        else:
            assignment.advancing = False
        if chunk.failure is None:
            return False
        facts = {"purpose": chunk.purpose.value, "error": chunk.failure.error_class, "reason": chunk.failure.message}
        log.warning("state_failed", agent=self._agent.name, **facts)
        self._next_advance_s = time.monotonic() + _TICK_INTERVAL_S
        return chunk.failure.kind == "fenced" and bool(assignment.alive)

    def give_up(self, leaving: list[Assignment]) -> None:
        """End what still runs of these partitions: nobody waits for it any more."""
        for assignment in leaving:
            for chunk in assignment.end_now():
                self._circuits.unanswered()  # it may have been the probe: without this none would follow for a minute
                self._ticking = self._ticking and chunk.purpose is not Purpose.TICK
                self._executor.cancel(chunk)

    @staticmethod
    def _lags_for_no_reason(assignment: Assignment) -> bool:
        """Dead letters, tombstones and markers need no rows, so no transaction has moved the stored offset past them."""
        behind = assignment.stored < assignment.watermark.committable and not assignment.advancing
        idle = not assignment.watermark.unfinished and not assignment.out
        return behind and idle and assignment.stopped is None

    def proven(self, trial: Chunk) -> None:
        """A child process has lived through a trial: its record is handled where the agent's records are."""
        assignment: Any = trial.owner
        assignment.chunks.discard(trial)
        if assignment.alive:
            self._submit(assignment, trial.lane, trial.records)

    def _begin(self, assignment: Assignment, limit: int, below: int | None) -> bool:
        """Submit the partition's next chunk; whether there was one. Suspects run before all others."""
        purpose = Purpose.RECORDS
        if assignment.careful:
            cut = self._next_suspects(assignment, limit, below)
            if cut is not None:
                purpose = Purpose.TRIAL if self._agent.exact else Purpose.ALONE
            elif assignment.is_trying:
                return False
        if purpose is Purpose.RECORDS:
            cut = assignment.lanes.take(limit, below=below, brief=self._flow.brief)
        if cut is not None:
            self._submit(assignment, *cut, purpose=purpose)
        return cut is not None

    def _next_suspects(
        self, assignment: Assignment, limit: int, below: int | None
    ) -> tuple[int, Sequence[Record]] | None:
        """A child tells which record of its chunk it died of; of a batch it could not, and an exact agent tries one by one."""
        one_by_one = self._agent.batch_records is not None
        running = sum(chunk.purpose in SUSPECTED for chunk in assignment.chunks)
        if running >= (1 if one_by_one else _SUSPECTED_CHUNKS):
            return None
        until = assignment.suspects.until
        return assignment.lanes.take(1 if one_by_one else limit, below=until if below is None else min(until, below))

    def _submit(
        self, assignment: Assignment, lane: int, records: Sequence[Record], purpose: Purpose = Purpose.RECORDS
    ) -> None:
        deadline_s, key_of = self._agent.deadline_s, assignment.lanes.key_of
        limit_s = _BRIEF_LIMIT_S if self._flow.brief else math.inf
        events = assignment.take_events(records)
        chunk = Chunk(
            assignment, lane, records, key_of, deadline_s=deadline_s, limit_s=limit_s, purpose=purpose, events=events
        )
        assignment.chunks.add(chunk)
        assignment.reached = max(assignment.reached, offsets_of(records)[-1] + 1)
        self._executor.submit(chunk)

    def _submit_errand(self, assignment: Assignment, purpose: Purpose) -> None:
        following = assignment.watermark.committable
        deadline_s, key_of = self._agent.deadline_s, assignment.lanes.key_of
        chunk = Chunk(assignment, 0, [], key_of, deadline_s=deadline_s, purpose=purpose, following=following)
        assignment.chunks.add(chunk)
        self._executor.submit(chunk)
