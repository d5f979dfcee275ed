"""When which fault strikes: from the seed alone, so that a failing seed can be run again. Pure."""

from dataclasses import dataclass
from random import Random

from tests.chaos.faults import FAULTS
from tests.chaos.options import Options

_FIRST, _LAST = 0.05, 0.95
"""Parts of the load: a fault before anything runs, or after all is done, tries nothing."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault at one moment.

    Attributes:
        at: how many records the broker has acknowledged by then.
        fault: its name.
        draw: what seeds the fault's own choices.
    """

    at: int
    fault: str
    draw: int


def schedule(options: Options) -> list[Strike]:
    """Every strike of the run, in order."""
    random = Random(f"strikes/{options.seed}")
    strikes = [
        Strike(int(options.messages * random.uniform(_FIRST, _LAST)), name, random.getrandbits(32))
        for name, times in sorted(options.faults)
        if FAULTS[name].strike is not None
        for _ in range(times)
    ]
    return sorted(strikes, key=lambda strike: (strike.at, strike.fault, strike.draw))
