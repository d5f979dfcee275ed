"""The disk under the database, or under the object store, is full for a while: what finds no room waits for it."""

from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults.fault import Fault

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_FULL_S = 4.0


def strike(stage: "Stage", _random: Random) -> None:
    """Fill the small file system to its last byte, wait, and make room again."""
    if stage.disk is None:
        raise RuntimeError("the faults disk and store need their small file system")
    filler = stage.disk.fill()
    stage.pause(_FULL_S)
    filler.unlink()
    stage.pause(1.0)


DISK = Fault(strike, times=2)
"""The database is there."""

STORE = Fault(strike, times=2, environ={"CHAOS_STORES": "1"})
"""The object store is there, and a handler puts into it what each task carries."""
