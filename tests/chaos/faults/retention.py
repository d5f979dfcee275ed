"""Retention passes the commit: records are deleted before anybody has taken them, and only those may be missing."""

import os
import signal
from random import Random
from typing import TYPE_CHECKING

from confluent_kafka import TopicPartition

from tests.chaos.faults.fault import Fault
from tests.chaos.stops import await_stops

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_FREEZE_S = 1.0


def strike(stage: "Stage", _random: Random) -> None:
    """Freeze all workers for less than a session, let records pile up, delete them, and let the workers go on.

    With the policy "stop" nothing is excused but what the agents themselves then call lost.
    """
    frozen = list(stage.crew.workers)
    for worker in frozen:
        os.kill(worker.pid, signal.SIGSTOP)
    try:
        stage.pause(_FREEZE_S)
        stage.sampler.sample()
        lows = _delete(stage)
    finally:
        for worker in frozen:
            os.kill(worker.pid, signal.SIGCONT)
    stage.hit("retention", None)
    stage.pause(1.0)
    if stage.options.reset == "stop":
        await_stops(stage, {partition: (stage.epoch, partition, 0, low) for partition, low in lows.items()})
        return
    for partition, low in lows.items():  # whether it was in hand or not
        stage.excused.append((stage.epoch, partition, _committed(stage, partition), low))


def _delete(stage: "Stage") -> dict[int, int]:
    """Delete all that is acknowledged by now; the offsets of what is first now, by partition."""
    highest: dict[int, int] = {}
    for epoch, partition, offset in list(stage.producer.places.values()):
        if epoch == stage.epoch:
            highest[partition] = max(highest.get(partition, -1), offset)
    wanted = [TopicPartition(stage.topic, partition, offset + 1) for partition, offset in highest.items()]
    deleted = stage.admin.delete_records(wanted)
    return {place.partition: future.result(30).low_watermark for place, future in deleted.items()}


def _committed(stage: "Stage", partition: int) -> int:
    """What every agent has committed."""
    groups = [stage.direct.names.group(agent) for agent in stage.options.agents]
    return min(stage.sampler.offsets(group).get(partition, 0) for group in groups)


FAULT = Fault(strike, times=2)
