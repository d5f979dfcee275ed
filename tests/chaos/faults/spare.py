"""More workers than partitions: some of them hold nothing, and must neither disturb nor end."""

import time
from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_BEYOND = 2
_HOLD_S = 3.0


def strike(stage: "Stage", _random: Random) -> None:
    """Start more than there are partitions, wait, and let the surplus go all at once."""
    surplus = [stage.crew.start() for _ in range(max(1, stage.options.partitions + _BEYOND - len(stage.crew.workers)))]
    stage.wait(lambda: all(worker.is_ready for worker in surplus), 90.0)
    stage.pause(_HOLD_S)
    since_s = time.monotonic()
    for worker in surplus:
        stage.crew.tell_to_leave(worker)
    for worker in surplus:
        stage.crew.await_leave(worker, since_s=since_s)


FAULT = Fault(strike, times=1, repeats=False)
