"""A shadow replay: the agent works over exactly the range, in this process, in a group of its own."""

import dataclasses
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import msgspec
import structlog
from confluent_kafka import KafkaException

from consumers.runtime.agent import Agent, Order
from consumers.runtime.broker_view import reason_of
from consumers.runtime.kit import open_kit
from consumers.runtime.local import agent_named
from consumers.runtime.runner import Runner
from producers.sender import Sender
from schemas.settings import Settings
from streams.replay.chosen import Chosen
from streams.replay.finished import Finished
from streams.replay.groups import Groups
from streams.replay.job import Job, ReplayError
from streams.replay.topics import make_like

log = structlog.get_logger("headrace.replay")

_LOOK_S = 0.25
_DRAIN_S = 15.0


class RedirectingSender(Sender):
    """A sender that puts into one topic what is meant for another; the bytes stay as they are.

    Args:
        settings: where the broker is.
        topics: where what is meant for a topic goes, by the broker's names; what is not here goes where it is meant to.
    """

    def __init__(self, settings: Settings, topics: dict[str, str]) -> None:
        super().__init__(settings, client_id="headrace-replay")
        self._topics = topics

    def _offer(self, record: tuple[Any, ...]) -> bool:
        return super()._offer((self._topics.get(record[0], record[0]), *record[1:]))


def run(job: Job, settings: Settings, told: Callable[[int], None]) -> Finished:
    """Work over what is left of the range.

    The steps: 1. topics for results and dead letters, 2. the agent's runner, bounded, 3. wait until the group's commits
    cover the range, 4. stop it, whatever came; what it had finished is committed.

    Args:
        job: with its agent, which is not an exact one.
        settings: the broker, the catalogue, the store.
        told: called now and then with the offsets covered so far.

    Raises:
        ReplayError: when the agent cannot go on.
        ConfigurationError: when it cannot start.
    """
    kit = open_kit(settings)
    agent = _agent(job, agent_named(kit, str(job.agent)))
    sender = RedirectingSender(settings, _make_topics(job, agent, settings))  # 1
    chosen = Chosen(kit.codec, key=job.key, expression=job.where)
    bounds = job.bounds(settings.names)
    bounds = bounds if chosen.all else dataclasses.replace(bounds, wanted=chosen.wants)
    crashes: list[BaseException] = []
    runner = Runner(agent, kit, sender, known_topics=(), crashed=crashes.append, bounds=bounds)
    runner.start()  # 2
    try:
        _await_end(job, settings, crashes, told)  # 3
    finally:
        runner.stop(drain_s=_DRAIN_S)  # 4
        runner.join(_DRAIN_S + 15.0)
        sender.close()
    with closing(Groups(settings)) as groups:
        failures = groups.records_in(settings.names.replay_dead_letter(agent.name, job.id))
    return Finished(_said(job, agent, settings, failures, chosen), failures, sum(bounds.lost.values()))


def _agent(job: Job, agent: Agent) -> Agent:
    """The agent over this topic alone; retries stay in the lane, since its retry topics are the live group's."""
    return msgspec.structs.replace(agent, topics=(job.topic,), order=Order.BY_KEY)


def _make_topics(job: Job, agent: Agent, settings: Settings) -> dict[str, str]:
    """Where results and dead letters go instead, by the broker's names; made where they are missing."""
    names = settings.names
    instead = {names.dead_letter(agent.name): names.replay_dead_letter(agent.name, job.id)}
    if agent.output and not job.publish:
        instead[names.topic(agent.output)] = names.replay_topic(agent.output, job.id)
    for live, own in instead.items():
        make_like(settings, live, own)
    return instead


def _await_end(job: Job, settings: Settings, crashes: list[BaseException], told: Callable[[int], None]) -> None:
    group, topic = job.group(settings.names), settings.names.topic(job.topic)
    with closing(Groups(settings)) as groups:
        while not crashes:
            try:
                done = job.covered(groups.reached(group, topic))
            except (KafkaException, TimeoutError) as error:  # the runner goes on by itself once the broker is back
                log.warning("progress_unknown", job=job.id, reason=reason_of(error))
            else:
                told(done)
                if done >= job.records:
                    return
            time.sleep(_LOOK_S)
    raise ReplayError(f"agent {job.agent} cannot go on: {crashes[0]}") from crashes[0]


def _said(job: Job, agent: Agent, settings: Settings, failures: int, chosen: Chosen) -> str:
    names = settings.names
    said: list[Any] = []
    if agent.output:
        bare = agent.output if job.publish else names.bare(names.replay_topic(agent.output, job.id))
        said.append(f"results are in {bare}")
    if failures:
        letters = names.bare(names.replay_dead_letter(agent.name, job.id))
        said.append(f"{failures:,} failed and are in {letters}")
    if chosen.undecodable:
        said.append(f"{chosen.undecodable:,} could not be decoded for --where, and were left out")
    return "; ".join(said)
