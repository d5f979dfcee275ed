"""Retention passes the commit: records are deleted before anybody has taken them, and only those may be missing."""

import os
import signal
from random import Random
from typing import TYPE_CHECKING

from confluent_kafka import TopicPartition

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_FREEZE_S = 1.0


def strike(stage: "Stage", _random: Random) -> None:
    """Freeze all workers for less than a session, let records pile up, delete them, and let the workers go on."""
    frozen = list(stage.crew.workers)
    for worker in frozen:
        os.kill(worker.pid, signal.SIGSTOP)
    try:
        stage.pause(_FREEZE_S)
        stage.sampler.sample()
        _delete(stage)
    finally:
        for worker in frozen:
            os.kill(worker.pid, signal.SIGCONT)
    stage.hit("retention", None)
    stage.pause(1.0)


def _delete(stage: "Stage") -> None:
    """Delete all that is acknowledged by now; what of it was not committed is excused, whether it was in hand or not."""
    highest: dict[int, int] = {}
    for epoch, partition, offset in list(stage.producer.places.values()):
        if epoch == stage.epoch:
            highest[partition] = max(highest.get(partition, -1), offset)
    wanted = [TopicPartition(stage.topic, partition, offset + 1) for partition, offset in highest.items()]
    for place, future in stage.admin.delete_records(wanted).items():
        low = future.result(30).low_watermark
        committed = min(
            stage.sampler.offsets(stage.direct.names.group(agent)).get(place.partition, 0)
            for agent in stage.options.agents
        )
        stage.excused.append((stage.epoch, place.partition, committed, low))


FAULT = Fault(strike, times=2, environ={"CHAOS_RESET": "earliest"})
