"""The disk under the database is full for a while: what cannot be stored waits, and is stored once."""

from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_FULL_S = 4.0


def strike(stage: "Stage", _random: Random) -> None:
    """Fill the small file system to its last byte, wait, and make room again."""
    if stage.disk is None:
        raise RuntimeError("the fault disk needs its small file system")
    filler = stage.disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    stage.pause(_FULL_S)
    filler.unlink()
    stage.pause(1.0)


FAULT = Fault(strike, times=2)
