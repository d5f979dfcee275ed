"""The crew's own clock: an attack is of the moment at which it was done."""

import time
from pathlib import Path
from types import SimpleNamespace

from schemas.settings import Settings
from tests.chaos.workers import Crew

_END_TAKES_S = 0.3


def test_a_kill_is_of_the_moment_of_its_signal_however_long_the_end_takes(tmp_path: Path) -> None:
    process = SimpleNamespace(kill=lambda: None, wait=lambda _limit_s: time.sleep(_END_TAKES_S))
    victim = SimpleNamespace(process=process, children=list, leaving=False)
    crew = Crew(Settings(), (), tmp_path, {}, None, list, workers=[victim])  # type: ignore[list-item]
    before_ns = time.time_ns()
    killed_ns, _ = crew.kill(victim)  # type: ignore[arg-type]
    assert before_ns <= killed_ns <= time.time_ns() - int(_END_TAKES_S * 0.9e9)
    assert crew.workers == []
