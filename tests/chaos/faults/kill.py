"""SIGKILL: a worker is gone between two instructions; another starts in its place."""

from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage


def strike(stage: "Stage", random: Random) -> None:
    """Kill one, and go on when all but one work: so the next kill may meet a rebalance."""
    stage.await_ready(max(1, stage.options.workers - 1))
    stage.kill(stage.victim(random))
    stage.crew.start()


FAULT = Fault(strike)
