"""SIGSTOP past the session, then SIGCONT: a worker that the group has given up comes back and knows nothing of it."""

import os
import signal
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_SESSIONS = 2.5


def strike(stage: "Stage", random: Random) -> None:
    """Freeze one for longer than its session, and look at what it commits when it wakes."""
    stage.await_ready(min(2, stage.options.workers))
    victim = stage.victim(random)
    os.kill(victim.pid, signal.SIGSTOP)
    stage.hit("stop", victim.pid)
    try:
        stage.pause(_SESSIONS * stage.options.session_ms / 1000)
    finally:
        with suppress(ProcessLookupError):  # it was ending by itself when it was stopped, which I11 tells
            os.kill(victim.pid, signal.SIGCONT)
    for _ in range(10):
        stage.pause(0.1)
        stage.sampler.sample()


FAULT = Fault(strike)
