"""The network between workers and brokers is cut, or slow; the brokers and the load do not notice."""

from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_LATENCY_S = 0.3


def strike(stage: "Stage", random: Random) -> None:
    """Latency for a while, then a cut: every second time past the session."""
    proxies = stage.proxies
    if proxies is None:
        raise RuntimeError("the fault network needs the proxies")
    session_s = stage.options.session_ms / 1000
    proxies.order(f"latency {_LATENCY_S}")
    stage.pause(3.0)
    proxies.order("latency 0")
    proxies.order("cut")
    stage.hit("network", None)
    stage.pause(random.choice((0.3, 1.6)) * session_s)
    proxies.order("heal")
    stage.over()
    stage.pause(1.0)
    stage.sampler.sample()


FAULT = Fault(strike, times=2)
