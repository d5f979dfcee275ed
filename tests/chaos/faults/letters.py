"""The dead-letter topics refuse everything for a while: what cannot be parked must stay uncommitted."""

from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_REFUSES_S = 3.0


def strike(stage: "Stage", _random: Random) -> None:
    """Let the topics take no record of more than a byte, and then again."""
    for agent in stage.options.agents:
        stage.set_topic(f"{agent}.dlq", max_message_bytes=1)
    for _ in range(int(_REFUSES_S / 0.2)):
        stage.pause(0.2)
        stage.sampler.sample()
    for agent in stage.options.agents:
        stage.set_topic(f"{agent}.dlq", max_message_bytes=4_000_000)


FAULT = Fault(strike, times=2)
