"""Leaders move: a broker is stopped in order, its partitions and coordinators go elsewhere, and come back to it."""

from random import Random
from typing import TYPE_CHECKING

from confluent_kafka import ElectionType

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_SETTLE_S = 2.0


def strike(stage: "Stage", random: Random) -> None:
    """Stop one broker with SIGTERM, start it, and let it lead again what it led before."""
    index = random.randrange(len(stage.stack.brokers))
    process = stage.stack.brokers[index].process
    if process is not None:
        process.stop()
    stage.hit("leader", None)
    stage.pause(_SETTLE_S)
    stage.stack.start(index)
    stage.over()
    stage.pause(_SETTLE_S)
    stage.admin.elect_leaders(ElectionType.PREFERRED, None).result(30)
    stage.sampler.sample()


FAULT = Fault(strike, times=2, brokers=3)
