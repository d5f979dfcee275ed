"""One agent at work, in one thread: poll, cut, hand over, settle, commit. The straight line of an event."""

import threading
import time
from collections.abc import Callable, Collection
from queue import SimpleQueue
from typing import TYPE_CHECKING

import structlog

from consumers.runtime.agent import Agent
from consumers.runtime.assignment import Assignment
from consumers.runtime.bounds import Bounds
from consumers.runtime.chunk import Chunk
from consumers.runtime.circuit import Circuits
from consumers.runtime.commits import Commits
from consumers.runtime.dispatch import Dispatch
from consumers.runtime.errors import AgentFailedError
from consumers.runtime.executors import make_executor
from consumers.runtime.flow import Flow
from consumers.runtime.inbox import Event, Inbox
from consumers.runtime.intake import Intake
from consumers.runtime.kit import open_state, open_together
from consumers.runtime.membership import Membership, drained
from consumers.runtime.outputs import Outputs
from consumers.runtime.poller import Poller
from consumers.runtime.settlement import Settlement
from consumers.runtime.stats import Stats
from consumers.runtime.subscription import Subscription
from consumers.runtime.waiting import Waiting
from consumers.runtime.watchdog import Watchdog
from consumers.runtime.work import Kit
from producers.sender import Sender

if TYPE_CHECKING:
    from consumers.runtime.state import State

log = structlog.get_logger("headrace.agent")

_CLOCKS_S = 0.005
"""How often clocks are looked at. With every turn a worker took 0.25 to 0.31 of a core at 500 events/s, so 0.23."""


class Runner:
    """An agent's thread, from start to stop.

    A turn of it: take what the broker has, settle what came back, hand over what may run, commit what is finished.

    Args:
        agent: from the catalogue.
        kit: what work stands on.
        sender: shared by the agents of the process.
        known_topics: of the broker: every retry topic of the agent's is read too, also one of a delay that it no longer has:
            records may wait there from before.
        crashed: called, from the agent's thread, when it cannot go on.
        bounds: of a replay: its group, and from where to where it goes; None for the live agent.

    Attributes:
        stats: what is counted.
        ready: set when the group has answered.
        circuits: of the agent's dependencies.
        cut_off: whether the stop could not wait for what ran.
    """

    def __init__(
        self,
        agent: Agent,
        kit: Kit,
        sender: Sender,
        *,
        known_topics: Collection[str],
        crashed: Callable[[BaseException], None],
        bounds: Bounds | None = None,
    ) -> None:
        self.agent = agent
        self.stats = Stats()
        self.ready = threading.Event()
        self.cut_off = False
        self._crashed = crashed
        self._events: SimpleQueue[Event] = SimpleQueue()
        names = kit.settings.names
        memory = (names.dead_letter(agent.name), 0)
        retry_topics = {delay_s: names.retry(agent.name, delay_s) for delay_s in agent.retry_delays_s}
        outputs = Outputs(sender, agent=agent.name, dead_letter_topic=memory[0], retry_topics=retry_topics)
        self._outputs = outputs
        self.circuits = Circuits(batches=agent.batch_records is not None)
        self._settlement = Settlement(agent, outputs, self.circuits, self.stats, settled=self._events.put)
        self._state = open_state(agent, kit)
        self._executor = make_executor(agent, kit, state=self._state, done=self._events.put)
        self.membership = Membership(
            agent, memory=memory, drain=self._drain, give_up=self._give_up, looked_up=self._events.put
        )
        waiting = Waiting(self.membership, self._settlement)
        self._flow = Flow(agent, self.membership, outputs, self.stats, pace=bounds.pace() if bounds else None)
        self._intake = Intake(
            agent, self.membership, waiting, self._flow, self.stats, together=open_together(agent, kit)
        )
        self._commits = Commits(agent, self.membership, in_flight=lambda: self._flow.most_begun)
        self._dispatch = Dispatch(agent, self._executor, self._flow, self.circuits)
        self._inbox = Inbox(agent, self._events, self._settlement, self._dispatch, self.membership)
        self._watchdog = Watchdog(agent, self.circuits)
        self._subscription = Subscription(
            agent,
            kit.settings,
            [names.topic(topic) for topic in agent.topics]
            + sorted(topic for topic in known_topics if names.is_retry(agent.name, topic)),
            memory=memory,
            membership=self.membership,
            state=self._state,
            bounds=bounds,
            on_commit=self._commits.answered,
            on_error=self._intake.tell,
        )
        self._poller = Poller(self._subscription, self.membership, self._flow, self._intake, self._inbox)
        self._next_clocks_s = 0.0
        self._stopping = threading.Event()
        self._drain_limit_s = agent.drain_s
        self._thread = threading.Thread(target=self._run, name=f"agent-{agent.name}", daemon=True)

    def start(self) -> None:
        """Start the thread; `ready` is set when the group has answered."""
        self._thread.start()

    def stop(self, *, drain_s: float, replaced: bool = False) -> None:
        """Ask the thread to finish what runs, within so many seconds, to commit, and to leave the group.

        Args:
            drain_s: how long what runs may take.
            replaced: whether the worker ends because handlers hang. Where this agent's do, the owner's mark stays in the commits of
                what is unfinished: after some such ends at one offset, what lies there runs in a child process, which can be
                killed at the deadline. Seen without: the same record hung in each worker that came next, for good.
        """
        self.membership.keeps_marks = replaced and self.hung > 0
        self._drain_limit_s = drain_s
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_set()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the thread's end; whether it came."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def state(self) -> "State | None":
        """The exact state, for an agent that has one."""
        return self._state

    @property
    def in_hand(self) -> int:
        """How many records are taken and not finished."""
        return self._flow.in_hand

    @property
    def hung(self) -> int:
        """How many handlers were given up at their deadline and still hold a thread."""
        return self._executor.hung

    def running(self) -> list[Chunk]:
        """What runs now, and what waits for a thread: a chunk that has not begun has no index yet."""
        return [chunk for chunk in self._executor.running() if chunk.records]

    @property
    def careful(self) -> int:
        """How many partitions are taken carefully: their last owners may have died of a record."""
        return sum(assignment.careful for assignment in list(self.membership.assignments.values()))

    @property
    def protocol(self) -> str:
        """The group's protocol, as it came to be."""
        return self._subscription.protocol

    def _run(self) -> None:
        try:
            self._executor.start()
            self._subscription.open()
            while not self._stopping.is_set():
                self._turn()
            self._shut_down()
        except BaseException as error:
            self._crashed(error)
            self._leave()

    def _turn(self) -> None:
        """One turn, in its order: take, settle, look at clocks, hand over, settle, commit."""
        self._poller.take()
        self._inbox.serve()
        self._outputs.pump()
        now_s = time.monotonic()
        if now_s >= self._next_clocks_s:
            self._next_clocks_s = now_s + _CLOCKS_S
            self._look_at_clocks(now_s)
        if self._state is not None:  # before the records, which leave no room under load
            self._dispatch.errands(self.membership.assignments.values(), now_s)
        self._dispatch.hand_over(self.membership.assignments.values())
        self._inbox.serve()  # what ran inline is back: its results need not wait for the next turn, nor its commit
        self._commits.send(self._subscription.consumer, now_s)
        self._flow.resume_when_half()

    def _look_at_clocks(self, now_s: float) -> None:
        """What a moment brings, or what is looked at now and then."""
        self.membership.wake()
        self._place_found()
        self._executor.expire(now_s)
        self._settlement.resend(now_s)
        for assignment in self.membership.assignments.values():
            assignment.lanes.wake(now_s)
        self.membership.resume_due(now_s, self._flow.share)
        self._flow.pause_backed_up()
        if self._commits.is_expelled(now_s):
            self._subscription.join_anew()
        self._look(now_s)
        if self.membership.joined:
            self.ready.set()

    def _place_found(self) -> None:
        """Take partitions whose start is known by now; not within a rebalance callback, which must assign nothing else."""
        while self._inbox.found:
            self.membership.place(self._inbox.found.pop())

    def _look(self, now_s: float) -> None:
        """What is looked at now and then: the producer, the pool, topic ids, the tick."""
        if self._outputs.fatal is not None:
            raise AgentFailedError(f"agent {self.agent.name}: the producer cannot go on: {self._outputs.fatal}")
        if self._executor.broken is not None:
            raise AgentFailedError(f"agent {self.agent.name}: {self._executor.broken}") from self._executor.broken
        self.stats.mark(now_s, self._flow.finished)
        self._watchdog.look(self.membership.assignments.values(), self.stats.handled + self.stats.failed, now_s)
        self._subscription.compare_ids(now_s)

    def _drain(self, leaving: list[Assignment], limit_s: float) -> bool:
        """Let the lanes finish everything below the highest offset in hand; whether that was done within the limit.

        Nothing is polled meanwhile; the partitions that stay go on with what they have in hand.
        """
        staying = [assignment for assignment in self.membership.assignments.values() if assignment not in leaving]
        waits = bool(self.circuits.open)  # for a dependency: what has not begun is not waited for
        horizons = {assignment: 0 if waits else assignment.reached for assignment in leaving}
        until_s = time.monotonic() + limit_s
        while not drained(leaving, horizons) and time.monotonic() < until_s:
            self._dispatch.hand_over(leaving, horizons)
            self._dispatch.hand_over(staying)
            self._inbox.wait(0.01)
            self._inbox.serve()
            self._outputs.pump()
            now_s = time.monotonic()
            self._executor.expire(now_s)
            self._settlement.resend(now_s)
            # Now, not after the drain: a death within it would repeat all of it.
            self._commits.send(self._subscription.consumer, now_s, leaving)
        done = drained(leaving, horizons)
        if not done:
            log.warning("drain_cut_off", agent=self.agent.name, after_s=limit_s)
        return done

    def _give_up(self, leaving: list[Assignment]) -> None:
        self._dispatch.give_up(leaving)

    def _shut_down(self) -> None:
        """Finish what runs, commit, leave the group."""
        self.cut_off = not self._drain(list(self.membership.assignments.values()), self._drain_limit_s)
        self._subscription.close()
        self._executor.close(1.0)
        if self._state is not None:
            self._state.close()

    def _leave(self) -> None:
        """After a crash: leave the group at once and without a drain, so that others take over before the session ends."""
        self._dispatch.give_up(list(self.membership.assignments.values()))
        self.membership.assignments.clear()
        self._subscription.close()
        self._executor.close(0.0)
