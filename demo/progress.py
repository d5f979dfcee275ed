"""Waiting until all is processed, with a line that says how far it is."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from demo.outcome import Row
from schemas.catalogue import load_catalogue
from schemas.errors import TimedOutError
from schemas.settings import Settings
from streams.overall import AgentState, collect

_LIMIT_S = 240.0
_LOOK_S = 0.5
_SAY_S = 5.0


class Progress:
    """Looks at the groups' lag; bars on a terminal, a line every few seconds elsewhere.

    Args:
        settings: where the broker is.
        worker_log: named when it takes too long.
        say: prints a line.
    """

    def __init__(self, settings: Settings, *, worker_log: Path, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._worker_log = worker_log
        self._say = say
        self._agents = load_catalogue(settings.catalogue).agents
        columns = (TextColumn("          {task.description:<10}"), BarColumn(), MofNCompleteColumn())
        self._bars = Bars(*columns, disable=not sys.stderr.isatty(), transient=True)
        self._tasks: dict[str, TaskID] = {}
        self._said_s = time.monotonic()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bars.stop()

    def wait(self) -> list[Row]:
        """Wait until no agent lags; one row an agent.

        Raises:
            TimedOutError: after four minutes, naming the agents that still lag.
        """
        until_s = time.monotonic() + _LIMIT_S
        while time.monotonic() < until_s:
            states, workers = collect(self._settings, self._agents)
            self._show(states)
            done = all(state.lag == 0 and state.end > 0 for state in states)
            if done and workers and self._results_told(states):
                return [Row.of(state) for state in states]
            time.sleep(_LOOK_S)
        late = ", ".join(f"{state.agent} lags by {state.lag:,}" for state in states if state.lag)
        raise TimedOutError(f"not all is processed after {_LIMIT_S:g} s: {late}; see {self._worker_log}")

    @staticmethod
    def _results_told(states: list[AgentState]) -> bool:
        """Whether the worker's own report, which comes every two seconds, has caught up with the commits."""
        return all(state.handled + state.dead_letters >= state.end for state in states)

    def _show(self, states: list[AgentState]) -> None:
        for state in states:
            task = self._tasks.get(state.agent)
            if task is None:
                task = self._tasks[state.agent] = self._bars.add_task(state.agent, total=None)
            self._bars.update(task, total=state.end, completed=state.end - state.lag)
        if self._bars.disable and time.monotonic() - self._said_s >= _SAY_S:
            self._said_s = time.monotonic()
            self._say(
                "waiting: " + ", ".join(f"{state.agent} {state.end - state.lag:,}/{state.end:,}" for state in states)
            )
