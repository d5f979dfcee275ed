"""The service that runs the agents inside Faust's worker: start, watch, stop."""

import asyncio
import gc
import os
import signal
import threading
import time
from typing import Any

import structlog
from mode import Service

from consumers.runtime.agent import Agent, Order
from consumers.runtime.errors import AgentFailedError
from consumers.runtime.relay import OutboxRelay
from consumers.runtime.runner import Runner
from consumers.runtime.work import Kit
from producers.kafka import BrokerUnreachableError, check_broker
from producers.sender import Sender
from schemas.errors import ConfigurationError, HeadraceError
from schemas.names import CONTROL_TOPIC, WORKERS_TOPIC
from streams import control, replacement
from streams.control import Watch
from streams.reporter import Reporter

log = structlog.get_logger("headrace.worker")

EXIT_STUCK = 70
_ASK_AGAIN_S = 1.0
_ANSWER_S = 10.0
_WATCH_S = 0.5
_GC_THRESHOLDS = (100_000, 20, 10)
_HUNG_LIMIT = 8


class Host(Service):
    """Runs the chosen agents, each in a thread of its own.

    Args:
        kit: what work stands on.
        agents: the chosen ones.
    """

    abstract = False
    runners: list[Runner] = []  # class defaults: on_stop also runs when on_start raised  # noqa: RUF012
    relays: list[OutboxRelay] = []  # noqa: RUF012
    reporter: Reporter | None = None
    watch: Watch | None = None
    sender: Sender | None = None
    replacing = False

    def __init__(self, kit: Kit, agents: list[Agent], **options: Any) -> None:
        super().__init__(**options)
        self._kit = kit
        self._settings = kit.settings
        self._agents = agents
        self._hung_since_s: dict[str, float] = {}
        self._known_topics: set[str] = set()

    async def on_start(self) -> None:
        """Start the agents once the broker answers and the topics are there."""
        await self._await_broker()
        if self.should_stop:
            return
        self.sender = Sender(self._settings, client_id="headrace-worker")
        topics = await asyncio.to_thread(self._check_topics, self.sender)
        self._start_agents(self.sender, topics)
        if self._settings.names.topic(CONTROL_TOPIC) in topics:
            self.watch = Watch(self._settings, self._obey)
            self.watch.start()
        self.add_future(self._watch(time.monotonic()))

    async def on_stop(self) -> None:
        """Drain, commit, leave the groups; end the process with a code of its own where that takes too long."""
        limit_s, started_s = self._settings.stop_limit_s, time.monotonic()
        watchdog = threading.Timer(limit_s, _end_stuck, (limit_s,))
        watchdog.daemon = True
        watchdog.start()
        await asyncio.to_thread(self._stop_agents, limit_s * 0.6)
        watchdog.cancel()
        if self.replacing and not replacement.is_called_off():
            replacement.replace_process()
        if any(runner.cut_off for runner in self.runners):
            _end_stuck(round(time.monotonic() - started_s, 1))

    async def _await_broker(self) -> None:
        said = False
        while not self.should_stop:
            try:
                await asyncio.to_thread(check_broker, self._settings, 3.0)
            except BrokerUnreachableError as error:
                if not said:
                    log.warning("waiting_for_broker", reason=str(error))
                    said = True
                await self.sleep(_ASK_AGAIN_S)
            else:
                return

    def _check_topics(self, sender: Sender) -> set[str]:
        """All topics of the broker; ends the worker where one is missing."""
        agents = self._agents
        names = self._settings.names
        needed = {
            names.topic(topic)
            for agent in agents
            for topic in (*agent.topics, *([agent.output] if agent.output else []))
        }
        needed |= {names.dead_letter(agent.name) for agent in agents}
        needed |= {
            names.retry(agent.name, delay_s)
            for agent in agents
            if agent.order is Order.UNORDERED
            for delay_s in agent.retry_delays_s
        }
        known = set(sender.topics(_ANSWER_S))
        missing = sorted(needed - known)
        if missing:
            log.error("missing_topics", topics=", ".join(missing), remedy="create them with: headrace init")
            raise SystemExit(ConfigurationError.exit_code)
        return known

    def _start_agents(self, sender: Sender, topics: set[str]) -> None:
        self._known_topics = topics
        reporting = self._settings.names.topic(WORKERS_TOPIC) in topics
        try:
            self.runners = [self._runner(agent, sender) for agent in self._agents]
        except HeadraceError as error:
            log.error("misconfigured", error=type(error).__name__, reason=str(error))  # noqa: TRY400  it says all
            raise SystemExit(ConfigurationError.exit_code) from error
        self.relays = [
            OutboxRelay(runner.agent.name, runner.state, sender, stats=runner.stats)
            for runner in self.runners
            if runner.state is not None
        ]
        self.reporter = Reporter(self._settings, self.runners, sender, publishing=reporting)
        _collect_seldom()
        for runner in self.runners:
            runner.start()
        for relay in self.relays:
            relay.start()
        self.reporter.start()

    def _runner(self, agent: Agent, sender: Sender) -> Runner:
        return Runner(agent, self._kit, sender, known_topics=self._known_topics, crashed=self._agent_failed)

    def _stop_agents(self, drain_s: float) -> None:
        if self.watch is not None:
            self.watch.stop()
        for runner in self.runners:
            runner.stop(drain_s=drain_s, replaced=self.replacing)
        for runner in self.runners:
            runner.join()
        for relay in self.relays:
            relay.stop(5.0)
        if self.reporter is not None:
            self.reporter.stop()
        if self.sender is not None:
            self.sender.close()

    def _obey(self, agent: str, order: control.Order) -> None:
        """Close an agent's consumers, or open them again, as the control topic says."""
        for index, runner in enumerate(self.runners):
            if runner.agent.name != agent or self.should_stop or self.sender is None:
                continue
            if order.state == "closed" and not runner.stopping:
                log.warning("closed", agent=agent, by=order.by, until="headrace.control says running")
                runner.stop(drain_s=self._settings.stop_limit_s * 0.6)
                runner.join()
            elif order.state == "running" and runner.stopping:
                log.info("opened", agent=agent, by=order.by)
                self.runners[index] = self._runner(runner.agent, self.sender)
                self.runners[index].start()

    async def _watch(self, started_s: float) -> None:
        """Say when all are ready, once; replace the process when too many handlers hang."""
        ready = False
        while not self.should_stop:
            if not ready and all(runner.ready.is_set() for runner in self.runners):
                ready = True
                log.info("ready", after_s=round(time.monotonic() - started_s, 2), pid=os.getpid(), agents=self._told())
            hung = sum(runner.hung for runner in self.runners)
            if (hung >= _HUNG_LIMIT or self._holds_the_database()) and not self.replacing:
                meaning = "handlers ran past their deadline and hold their threads, or the database"
                log.error("replacing", hung=hung, meaning=meaning)
                self.replacing = True
                signal.raise_signal(signal.SIGTERM)  # the one stop whose end the worker's main loop waits for
            await self.sleep(0.02 if not ready else _WATCH_S)

    def _holds_the_database(self) -> bool:
        """Whether an exact agent's batch still hangs a deadline after it was given up, its transaction open: one is enough."""
        now_s = time.monotonic()
        for runner in self.runners:
            if not runner.agent.exact or not runner.hung:
                self._hung_since_s.pop(runner.agent.name, None)
            elif now_s - self._hung_since_s.setdefault(runner.agent.name, now_s) > (runner.agent.deadline_s or 0.0):
                return True
        return False

    def _told(self) -> str:
        """Agents with their groups and partitions, for the ready line."""
        return ", ".join(
            f"{runner.agent.name} (group {self._settings.names.group(runner.agent.name)}, {runner.protocol} protocol, "
            f"{len(runner.membership.assignments)} partitions)"
            for runner in self.runners
        )

    def _agent_failed(self, error: BaseException) -> None:
        """An agent cannot go on: end the worker. The error is wrapped, since a SystemExit would set the exit code."""
        log.error(
            "agent_failed", error=type(error).__name__, reason=str(error), exc_info=not isinstance(error, HeadraceError)
        )
        wrapped = AgentFailedError(f"an agent failed: {type(error).__name__}: {error}")
        wrapped.__cause__ = error
        self.loop.call_soon_threadsafe(lambda: self.loop.create_task(self.crash(wrapped)))


def _collect_seldom() -> None:
    """Let Python's garbage collector leave what is imported alone, and come seldom: events hold no cycles.

    With 20,000 of them in hand and Python's own thresholds (700, 10, 10) it took a third of an event's time: docs/performance.md.
    Nothing is collected first: of what is imported nothing is garbage, and to find that out keeps every thread waiting (108,590
    objects, 76 ms on an idle core and 779 ms on a busy one). Seen when it was done once the agents were ready, and had begun.
    """
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def _end_stuck(after_s: float) -> None:
    """A thread cannot be killed: only the process's end ends a stuck handler, and its code tells the supervisor."""
    log.error(
        "stuck",
        after_s=after_s,
        exit_code=EXIT_STUCK,
        meaning="a handler did not end; what it had in hand is not committed",
    )
    os._exit(EXIT_STUCK)
