"""How long a start takes: of a worker to its first record, of a publishing service's import, of the command line's help."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bench import progress
from bench.agents import ACTIVITY
from bench.children import environment, tail
from bench.consuming import worker
from bench.environments import ROOT
from bench.errors import UnavailableContestantError
from bench.ground import Ground
from bench.limits.limit import Limit, limit

_RUNS = 5
_LIMIT_S = 30.0
_BIN = Path(sys.executable).parent
_IMPORT = "import time; s = time.perf_counter(); import producers; print((time.perf_counter() - s) * 1000)"


def measure(ground: Ground) -> list[Limit]:
    """Each is the median of five runs, on files that were read before."""
    ground.kinds(ACTIVITY)
    first_record_s = [_first_record_s(ground) for _ in range(_RUNS)]
    import_ms = _after_one(lambda: float(_output([sys.executable, "-c", _IMPORT], ground.folder)))
    help_ms = _after_one(lambda: _wall_ms([str(_BIN / "headrace"), "-h"], ground.folder))
    return [
        _limit("start", "worker, from its process to the first record handled", "s", first_record_s, 2.0),
        _limit("import", "import producers", "ms", import_ms, 150.0),
        _limit("help", "headrace -h, the whole process", "ms", help_ms, 300.0),
    ]


def _limit(name: str, title: str, unit: str, figures: Sequence[float], at_most: float) -> Limit:
    return limit(name, title, unit, figures=figures, value=median(figures), at_most=at_most)


def _first_record_s(ground: Ground) -> float:
    one = worker("inline")
    ground.forget_group(*one.groups)
    folder = ground.folder_of("start")
    started_ns = time.monotonic_ns()
    with one.program.start(folder, broker=ground.settings.bootstrap_servers, events=ground.events) as child:
        while (found := progress.read(folder / "tally")) is None:
            if child.has_ended or time.monotonic_ns() - started_ns > _LIMIT_S * 1e9:
                raise UnavailableContestantError(f"the worker handled nothing: {tail(child.log)[-300:]}")
            time.sleep(0.01)
    return (found.first_ns - started_ns) * 1e-9


def _after_one(run: Callable[[], float]) -> list[float]:
    """Five runs after one that reads the files."""
    run()
    return [run() for _ in range(_RUNS)]


def _wall_ms(command: Sequence[str], folder: Path) -> float:
    started_s = time.perf_counter()
    _output(command, folder)
    return (time.perf_counter() - started_s) * 1000


def _output(command: Sequence[str], folder: Path) -> str:
    env = environment(folder, PYTHONPATH=str(ROOT))
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=True).stdout
