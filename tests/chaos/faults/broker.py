"""kill -9 of a broker, and its restart on the same log."""

from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage


def strike(stage: "Stage", random: Random) -> None:
    """Kill one broker and start it again at once."""
    index = random.randrange(len(stage.stack.brokers))
    stage.stack.kill(index)
    stage.hit("broker", None)
    stage.pause(random.uniform(0.0, 2.0))
    stage.stack.start(index)
    stage.over()
    stage.sampler.sample()


FAULT = Fault(strike, times=2)
