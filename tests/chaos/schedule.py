"""When which fault strikes: from the seed alone, so that a failing seed can be run again. Pure."""

from dataclasses import dataclass
from random import Random

from tests.chaos.faults import FAULTS
from tests.chaos.options import Options

_FIRST, _LAST = 0.2, 0.8
"""Parts of a strike's own stretch of the load, within which it falls: between two strikes records must flow."""


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
    """Every strike of the run, in order: each has an equal stretch of the load, and falls anywhere inside it."""
    random = Random(f"strikes/{options.seed}")
    names = [name for name, times in sorted(options.faults) if FAULTS[name].strike is not None for _ in range(times)]
    random.shuffle(names)
    stretch = options.messages / max(1, len(names))
    return [
        Strike(int((index + random.uniform(_FIRST, _LAST)) * stretch), name, random.getrandbits(32))
        for index, name in enumerate(names)
    ]


def gates(strikes: list[Strike], messages: int, *, ahead: int) -> list[int]:
    """How far the load may go before each strike, and after the last: a little past it, so that it strikes a busy worker."""
    positions = [strike.at for strike in strikes]
    nexts = [*positions, messages][1:]
    return [at + min(ahead, (after - at) // 2) for at, after in zip(positions, nexts, strict=True)] + [messages]
