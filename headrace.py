"""The console script, in a module whose name is nobody else's.

Headrace's rooms have plain names; another package of the same name, first on the path, would be taken for them. So this
looks before it imports any of them.
"""

import importlib.util
import sys
from pathlib import Path

ROOMS = ("schemas", "producers", "consumers", "streams")


def main() -> None:
    """Run the command line."""
    check()
    from streams.cli import main as run

    run()


def check() -> None:
    """End the process, with code 2, when a room is not Headrace's own; before any of them is imported by mistake."""
    foreign = strangers(Path(__file__).resolve().parent)
    if foreign:
        for place in foreign:
            sys.stderr.write(
                f"error: the package {place.name!r} at {place} hides Headrace's own: rename it, or start from another folder\n"
            )
        raise SystemExit(2)


def strangers(home: Path) -> list[Path]:
    """Where the rooms lie that do not lie under `home`."""
    return [place for room in ROOMS if (place := _place_of(room)) != home / room]


def _place_of(room: str) -> Path:
    spec = importlib.util.find_spec(room)
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]).resolve() if places else Path(room)
