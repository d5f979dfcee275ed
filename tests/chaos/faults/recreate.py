"""The topic is deleted and made again: its offsets start anew, and every old one means nothing any more."""

import os
import signal
from random import Random
from typing import TYPE_CHECKING

from confluent_kafka import TopicCollection
from confluent_kafka.cimpl import NewTopic

from tests.chaos.faults.fault import Fault
from tests.chaos.headers import number_of
from tests.chaos.stops import await_stops
from tests.support.topics import read_all

if TYPE_CHECKING:
    from tests.chaos.evidence import Range
    from tests.chaos.stage import Stage

_PROPAGATION_S = 0.3
_FROZEN_SESSIONS = 0.8


def strike(stage: "Stage", _random: Random) -> None:
    """Make the topic again while the workers are frozen, and let the new log grow as long as the old one was.

    So a worker that wakes finds its old offset in the new log, and no error tells it that it is another log. What was
    unhandled in the old one is excused; with the policy "stop", what the agents themselves then call lost.
    """
    frozen = list(stage.crew.workers)
    for worker in frozen:
        os.kill(worker.pid, signal.SIGSTOP)
    try:
        old = _replace(stage)
        before = sum(until for *_, until in old.values())
        sent = stage.producer.acknowledged
        stage.wait(
            lambda: stage.producer.acknowledged >= sent + before, _FROZEN_SESSIONS * stage.options.session_ms / 1000
        )
    finally:
        for worker in frozen:
            os.kill(worker.pid, signal.SIGCONT)
    stage.hit("recreate", None)
    if stage.options.reset == "stop":
        await_stops(stage, old)
    else:
        stage.excused += old.values()


def _replace(stage: "Stage") -> "dict[int, Range]":
    """Hold the load, delete the topic with whatever is in it, and make it; what the old one held, by partition."""
    stage.producer.hold()
    epoch = stage.epoch
    ends = dict.fromkeys(range(stage.options.partitions), 0)
    for message in read_all(
        stage.stack.bootstrap_servers, stage.topic
    ):  # also what was refused, and is there all the same
        place = (epoch, message.partition(), message.offset())
        stage.producer.places[number_of(dict(message.headers()))] = place
        ends[message.partition()] = max(ends[message.partition()], message.offset() + 1)
    former = _topic_id(stage)
    stage.admin.delete_topics([stage.topic])[stage.topic].result(30)
    stage.epoch = stage.producer.epoch = epoch + 1
    stage.pause(_PROPAGATION_S)
    _create(stage, former)
    stage.sampler.begin_epoch(stage.epoch)
    stage.producer.go_on()
    return {partition: (epoch, partition, 0, end) for partition, end in ends.items()}


def _create(stage: "Stage", former: str) -> None:
    config = {"message.timestamp.type": "LogAppendTime"}
    topic = NewTopic(stage.topic, stage.options.partitions, -1, config=config)
    stage.admin.create_topics([topic])[stage.topic].result(30)
    stage.wait(lambda: _led(stage) and _topic_id(stage) != former, 20.0)


def _topic_id(stage: "Stage") -> str:
    described = stage.admin.describe_topics(TopicCollection([stage.topic]))
    return str(described[stage.topic].result(20).topic_id)


def _led(stage: "Stage") -> bool:
    known = stage.admin.list_topics(stage.topic, timeout=10).topics[stage.topic].partitions.values()
    return len(known) == stage.options.partitions and all(partition.leader >= 0 for partition in known)


FAULT = Fault(strike, times=1)
