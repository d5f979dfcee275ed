"""Progress, on stderr: stdout belongs to the result."""

import sys
import time

_started_s = time.monotonic()


def say(text: str) -> None:
    """One line, with the seconds since the start."""
    sys.stderr.write(f"{time.monotonic() - _started_s:7.1f} s  {text}\n")
    sys.stderr.flush()
