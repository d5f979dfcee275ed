"""A member joins or leaves every two seconds: partitions wander while their records run."""

import time
from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_ROUNDS = 3
_HOLD_S = 2.0


def strike(stage: "Stage", _random: Random) -> None:
    """Some rounds of joining and leaving."""
    for _ in range(_ROUNDS):
        joiner = stage.crew.start()
        stage.wait(lambda joiner=joiner: joiner.is_ready, 60.0)  # type: ignore[misc]
        stage.pause(_HOLD_S)
        if joiner not in stage.crew.workers:
            continue  # it has ended by itself, which I11 tells
        since_s = time.monotonic()
        stage.crew.tell_to_leave(joiner)
        stage.crew.await_leave(joiner, since_s=since_s)
        stage.sampler.sample()


FAULT = Fault(strike, times=2, repeats=False)
