"""How far a run is, on stderr."""

import sys
from datetime import UTC, datetime


def say(text: str) -> None:
    """Tell it, with the time."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S}  {text}\n")
