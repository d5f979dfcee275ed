"""What every peer's handler does, the same in each: about a millisecond of work, then a line in the ledger.

This file runs in the peers' own environments, so it imports the standard library alone.
"""

import os
import time
from pathlib import Path

WORK_S = 0.001


class PoisonError(Exception):
    """Raised for an id that no attempt can handle."""


class TransientError(Exception):
    """Raised once for an id that the next attempt handles."""


def handle(item_id: str, kind: str) -> None:
    """Work on one id, and write it down once the work is done; raise for what the seeded list says raises."""
    time.sleep(WORK_S)
    _raise_as_told(item_id, kind)
    _write_down(item_id)


def _raise_as_told(item_id: str, kind: str) -> None:
    if kind == "poison":
        raise PoisonError(item_id)
    if kind == "transient" and _is_first_attempt(item_id):
        raise TransientError(item_id)


def _is_first_attempt(item_id: str) -> bool:
    """Whether nobody has tried this id yet, told by a file, since the worker may have been killed in between."""
    try:
        (Path(os.environ["BENCH_FOLDER"]) / "tried" / item_id).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _write_down(item_id: str) -> None:
    """One write to a file opened with O_APPEND: whole, and there even if the process is killed right after."""
    line = f"{item_id} {os.environ['BENCH_WORKER']}\n".encode()
    ledger = os.open(Path(os.environ["BENCH_FOLDER"]) / "ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(ledger, line)
    finally:
        os.close(ledger)
