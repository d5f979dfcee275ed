"""A worker with too many hung threads replaces itself; too often is a fault for the supervisor."""

import os
import sys
import time

_MOST = 5
_WITHIN_S = 600.0
_VARIABLE = "HEADRACE_REPLACED_AT"
EXIT_TOO_OFTEN = 70
_called_off = False


def call_off() -> None:
    """Whoever runs this worker wants it to end, while it drains to be replaced: then it ends."""
    global _called_off  # noqa: PLW0603  one process, one replacement
    _called_off = True


def is_called_off() -> bool:
    """Whether the process is to end instead."""
    return _called_off


def replace_process() -> None:
    """Run this process's own command line in its place; end it with code 70 after five times in ten minutes."""
    times = recent(os.environ.get(_VARIABLE, ""), time.time())
    if len(times) >= _MOST:
        sys.stderr.write(f"replaced {_MOST} times in {_WITHIN_S:g} s: giving up\n")
        os._exit(EXIT_TOO_OFTEN)
    os.environ[_VARIABLE] = " ".join(f"{moment:.0f}" for moment in [*times, time.time()])
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  our own command line


def recent(told: str, now_s: float) -> list[float]:
    """The moments, in seconds since the epoch, that lie within the last ten minutes."""
    return [moment for moment in map(float, told.split()) if now_s - moment < _WITHIN_S]
