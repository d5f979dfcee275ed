"""An exact agent's partition without a broker: real work in real threads over a real database."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import msgspec
import sqlalchemy as sa

from consumers.runtime.assignment import Assignment
from consumers.runtime.chunk import Purpose
from consumers.runtime.circuit import Circuits
from consumers.runtime.dispatch import Dispatch
from consumers.runtime.executors import make_executor
from consumers.runtime.flow import Flow
from consumers.runtime.local import agent_named
from consumers.runtime.metadata import Note
from consumers.runtime.offsets import Start
from consumers.runtime.outputs import Outputs
from consumers.runtime.record import Failed
from consumers.runtime.state import Position, State
from consumers.runtime.stats import Stats
from producers.memory import MemorySender
from tests.support.flows import eventually
from tests.support.kits import order_record, shop_kit
from tests.support.shop.counting import metadata, seen, ticks


class StuckState(State):
    """A state whose first transaction hangs before it begins, until it is let go.

    Attributes:
        begun: how many transactions were asked for.
        ended: how many of them are over.
    """

    def __init__(self, database_url: str, *, group: str) -> None:
        super().__init__(database_url, group=group)
        self.begun = self.ended = 0
        self.let_go = threading.Event()

    @contextmanager
    def transaction(self, position: Position, *, expected: int, following: int) -> Iterator[sa.Connection]:
        with self._told(), super().transaction(position, expected=expected, following=following) as connection:
            yield connection

    @contextmanager
    def plain(self) -> Iterator[sa.Connection]:
        with self._told(), super().plain() as connection:
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        self.begun += 1
        if self.begun == 1:
            self.let_go.wait()
        try:
            yield
        finally:
            self.ended += 1


class Owned:
    """A membership of some partitions."""

    paused = False

    def __init__(self, *assignments):
        self.assignments = {assignment.place: assignment for assignment in assignments}

    def set_pauses(self):
        """There is no consumer to pause."""


def flow_and_stats_of(agent, *assignments):
    """The agent's flow, over a sender in memory, and what it goes by."""
    outputs, stats = Outputs(MemorySender([]), agent=agent.name, dead_letter_topic=f"{agent.name}.dlq"), Stats()
    return Flow(agent, Owned(*assignments), outputs, stats), stats


def flow_of(agent, *assignments):
    """The agent's flow, over a sender in memory."""
    return flow_and_stats_of(agent, *assignments)[0]


class ExactDesk:
    """One partition of the shop's counting agent; `turn` does what the runner's turn does with it."""

    def __init__(self, database_url, *, kind=State, **changes):
        self.kit = shop_kit(database_url=database_url)
        self.trials = 0
        self.agent = msgspec.structs.replace(agent_named(self.kit, "counting"), **changes)
        self.state, self.back = kind(database_url, group="counting"), SimpleQueue()
        self.outcomes, self.failed = [], []
        self.assignment = Assignment.of(self.agent, "orders.placed", 0, Note("id"), Start(0), committed=-1)
        self.state.begin(self.position, 0)
        self._beside = State(database_url, group="counting")
        self.executor = make_executor(self.agent, self.kit, state=self.state, done=self.back.put)
        self.executor.start()
        self.dispatch = Dispatch(self.agent, self.executor, flow_of(self.agent, self.assignment), Circuits())

    @property
    def position(self):
        return Position("id", "orders.placed", 0)

    def deliver(self, *offsets, wish="ok"):
        records = [order_record(self.kit, offset, wish=wish) for offset in offsets]
        self.assignment.watermark.deliver(list(offsets))
        self.assignment.lanes.add(records)

    def finish(self, *offsets):
        """Records that need no rows, such as dead letters: no batch moves the stored offset past them."""
        self.assignment.watermark.deliver(list(offsets))
        self.assignment.watermark.finish(offsets)

    def turn(self):
        now_s = time.monotonic()
        while not self.back.empty():
            self._meet(self.back.get())
        self.executor.expire(now_s)
        self.dispatch.errands([self.assignment], now_s)
        self.dispatch.hand_over([self.assignment])

    def until(self, check):
        """Turn until the check's first true answer, which it gives."""

        def turned():
            self.turn()
            return check()

        return eventually(turned, every_s=0.01)

    def _meet(self, completed):
        chunk = completed.chunk
        if chunk.purpose is Purpose.TRIAL:
            self.trials += 1
            self.dispatch.proven(chunk)
            return
        if chunk.purpose is not Purpose.RECORDS:
            self.dispatch.returned(chunk)
            return
        self.assignment.chunks.discard(chunk)
        self.assignment.lanes.release(chunk.lane)
        self.outcomes += completed.outcomes
        if any(isinstance(outcome, Failed) for outcome in completed.outcomes):
            self.failed += chunk.records

    def rows(self):
        """The ids of the orders that are stored."""
        return self._read(sa.select(seen.c.order_id).order_by(seen.c.offset))

    def ticks(self):
        """How many ticks are stored."""
        return len(self._read(sa.select(ticks.c.number)))

    def _read(self, statement):
        with self._beside.plain() as connection:
            metadata.create_all(connection)
            return connection.execute(statement).scalars().all()

    def close(self):
        self.executor.close(5.0)
        self.state.close()
        self._beside.close()
