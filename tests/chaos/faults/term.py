"""SIGTERM under load: the worker finishes what runs, commits, leaves, and exits with 0 within 30 s."""

import time
from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage


def strike(stage: "Stage", random: Random) -> None:
    """Tell one to leave; another starts in its place."""
    stage.await_ready(stage.options.workers)
    victim, since_s = stage.victim(random), time.monotonic()
    stage.crew.tell_to_leave(victim)
    stage.hit("term", victim.pid)
    stage.crew.start()
    stage.crew.await_leave(victim, since_s=since_s)
    stage.sampler.sample()


FAULT = Fault(strike, repeats=False)
