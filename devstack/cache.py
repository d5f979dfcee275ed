"""Where downloads are kept, for every stack of this user."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """HEADRACE_CACHE, else headrace in XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get("HEADRACE_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headrace"
