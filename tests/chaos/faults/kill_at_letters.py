"""SIGKILL round a dead-letter write: just before it, while it is under way, or after it and before the source's commit."""

import time
from random import Random
from typing import TYPE_CHECKING, Any

from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from schemas import names as wire
from tests.chaos.faults.fault import Fault
from tests.chaos.headers import number_of
from tests.chaos.say import say

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_LONGEST_WRITE_S = 0.01
"""From a poison's own append to that of its dead letter; a kill within that time meets the worker on its way."""
_PATIENCE_S = 20.0
_TURN_S = 0.2
_MORE = 100


def strike(stage: "Stage", random: Random) -> None:
    """Kill who has the partition of the next poison: as soon as its dead letter stands, or a moment after the poison itself."""
    stage.await_ready(max(1, stage.options.workers - 1))
    letters = [stage.direct.names.dead_letter(agent) for agent in stage.options.agents]
    watched = letters if random.random() < 0.5 else [stage.topic]
    partition = _next_poison(stage, watched)
    if partition is None:
        say("no poison came any more: nobody was killed")
        return
    if watched != letters:
        time.sleep(random.uniform(0.0, _LONGEST_WRITE_S))
    victim = stage.owner(partition) or stage.victim(random)
    stage.kill(victim, "kill-at-letters")
    stage.crew.start()


def _next_poison(stage: "Stage", topics: list[str]) -> int | None:
    """The partition of the next poison in these topics, within milliseconds of its append; the load goes on meanwhile."""
    until_s = time.monotonic() + _PATIENCE_S
    watcher = _at_the_end(stage, topics)
    try:
        while time.monotonic() < until_s:
            message = watcher.poll(_TURN_S)
            if message is None and stage.producer.done:
                return None
            if message is None:
                stage.producer.allow_more(_MORE)
                stage.crew.tend()
            elif message.error() is None:
                headers = dict(message.headers())
                if stage.producer.sent[number_of(headers)].dies(stage.options.agents[0]):
                    return int(headers.get(wire.ORIGIN_PARTITION, message.partition()))
        return None
    finally:
        watcher.close()


def _at_the_end(stage: "Stage", topics: list[str]) -> Consumer:
    """A reader of what comes from now on, which the broker answers at once."""
    config: dict[str, Any] = {
        "bootstrap.servers": stage.stack.bootstrap_servers,
        "group.id": "watches-only",
        "enable.auto.commit": False,
        "auto.offset.reset": "latest",
    }
    watcher = Consumer(config)
    known = watcher.list_topics(timeout=10).topics
    watcher.assign(
        [TopicPartition(topic, number, OFFSET_END) for topic in topics for number in known[topic].partitions]
    )
    return watcher


FAULT = Fault(strike, times=5)
