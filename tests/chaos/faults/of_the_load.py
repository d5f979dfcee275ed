"""Faults that are part of the load: a share of the records is spoilt, or asks its handler for trouble."""

from random import Random

from tests.chaos.faults.fault import Fault

_SLOW_POLL_MS = 1_000
_SLOW_S = 11.0


def _often(random: Random) -> str:
    """A hang that passes at the second attempt, and rarely one that never does."""
    kind = random.choice(("hang", "busy", "block"))
    return f"{kind}:{'always' if random.random() < 0.2 else 'first'}"


POISON = Fault(wish=lambda _: "undecodable", share=0.01, repeats=False)
"""Bytes of eight kinds that no agent can decode."""

ERRORS = Fault(
    wish=lambda random: random.choice(("transient:2", "transient:2", "transient:3", "permanent")),
    share=0.02,
    repeats=False,
)
"""Exceptions that pass with the attempts, and some that never do."""

HANG = Fault(wish=_often, share=0.003, agents=("children", "coroutines"), sticks=True)
"""Handlers that sleep or await past their deadline; busy loops in child processes; coroutines that block their loop."""

SLOW = Fault(
    wish=lambda _: f"slow:{_SLOW_S}",
    share=0.001,
    environ={"KAFKA_MAX_POLL_INTERVAL_MS": str(_SLOW_POLL_MS), "CHAOS_DEADLINE_S": "20"},
    sticks=True,
)
"""Handlers of eleven times max.poll.interval.ms: the membership must not notice."""

SEGFAULT = Fault(wish=lambda random: random.choice(("abort", "null")), share=0.002, agents=("children",), repeats=False)
"""The handler takes its whole process along."""

MEMORY = Fault(wish=lambda _: "memory", share=0.002, agents=("children",), repeats=False)
"""The handler asks for more memory than there is."""

UNORDERED = Fault(agents=("loose",))
"""An agent that keeps no order, whose failed records wait in retry topics."""

OVERSIZE = Fault(wish=lambda _: "oversize", share=0.003)
"""Results that the broker refuses for their size."""

SLUGGISH = Fault(wish=lambda _: "slow:1.5", share=0.02)
"""Handlers of a second and a half: something runs whenever another fault strikes."""
