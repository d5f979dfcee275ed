"""One contestant's run, from the first worker to the moment when nothing moves any more; three workers are killed on the way."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.children import Child
from bench.errors import UnavailableContestantError
from bench.loss.workload import Item

WORKERS = 2
KILL_AT = (0.2, 0.4, 0.6)
"""Which parts of the ids are handled when a worker is killed: far enough from the end that work remains after the last."""
LIMIT_S = 600.0
SETTLE_S = 10.0
"""Once every id is handled, how long to wait for second handlings and for what becomes of the poison."""
_START_LIMIT_S = 60.0
_TICK_S = 0.05

StartWorker = Callable[[int], Child]


@dataclass(slots=True)
class Ledger:
    """The file that the handlers append to, read as it grows."""

    path: Path
    lines: list[str] = field(default_factory=list)
    handled: set[str] = field(default_factory=set)
    _at: int = 0

    def read(self) -> bool:
        """Take the new whole lines; whether there were any."""
        if not self.path.exists():
            return False
        with self.path.open("rb") as file:
            file.seek(self._at)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._at += len(whole)
        new_lines = whole.decode().splitlines()
        self.lines += new_lines
        self.handled.update(line.split()[0] for line in new_lines)
        return bool(whole)

    @property
    def last_worker(self) -> int:
        """The number of the worker that wrote the last line: one that is surely at work."""
        return int(self.lines[-1].split()[1])


@dataclass(frozen=True, slots=True)
class Finish:
    """How a run went: the ledger's lines, the kills, the seconds."""

    lines: list[str]
    kills: int
    seconds: float


def run(items: list[Item], ledger: Ledger, start: StartWorker, *, quiet_s: float) -> Finish:
    """Run two workers over what is published; they have ended when this returns.

    Raises:
        UnavailableContestantError: when no worker handles anything within a minute.
    """
    wanted = {item.item_id for item in items if item.kind != "poison"}
    with ExitStack() as cleanup:
        workers = [cleanup.enter_context(start(number)) for number in range(WORKERS)]
        began_s = moved_s = time.monotonic()
        kills = 0
        while not _is_over(began_s, moved_s, quiet_s=quiet_s, is_complete=wanted <= ledger.handled):
            if ledger.read():
                moved_s = time.monotonic()
            elif not ledger.lines and time.monotonic() - began_s > _START_LIMIT_S:
                raise UnavailableContestantError(f"it handled nothing within {_START_LIMIT_S:.0f} s")
            if kills < len(KILL_AT) and len(ledger.handled) >= KILL_AT[kills] * len(items):
                victim = ledger.last_worker
                workers[victim].kill()
                workers[victim] = cleanup.enter_context(start(victim))
                kills += 1
            time.sleep(_TICK_S)
    ledger.read()
    return Finish(ledger.lines, kills, moved_s - began_s)


def _is_over(began_s: float, moved_s: float, *, quiet_s: float, is_complete: bool) -> bool:
    now_s = time.monotonic()
    return now_s - began_s > LIMIT_S or now_s - moved_s > (SETTLE_S if is_complete else quiet_s)
