"""How far a replay has come, on stderr: a bar on a terminal, a line every few seconds off it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

_EVERY_S = 5.0
_WINDOW_S = 10.0


class Told:
    """Called with the offsets covered so far; says so now and then.

    Args:
        what: the job, in a few words.
        total: offsets in all.
        first: offsets that were covered before this process began.
    """

    def __init__(self, what: str, *, total: int, first: int = 0) -> None:
        self.done = first
        self._what = what
        self._total = total
        self._begun = (time.monotonic(), first)
        self._marks = [self._begun]
        self._next_s = time.monotonic() + _EVERY_S

    def __call__(self, done: int) -> None:
        """So many offsets are covered now."""
        self.done = done
        now_s = time.monotonic()
        self._marks = [mark for mark in self._marks if now_s - mark[0] <= _WINDOW_S] or self._marks[-1:]
        self._marks.append((now_s, done))
        self.show(now_s)

    def show(self, now_s: float) -> None:
        """A line, where one is due."""
        if now_s < self._next_s or self.done >= self._total:
            return
        self._next_s = now_s + _EVERY_S
        click.echo(self.line(), err=True)

    def line(self) -> str:
        """Covered, in all, the rate of the last ten seconds, and how long the rest takes at it; none where none is measured."""
        rate = self.rate
        tempo = f", {rate:,.0f}/s, {duration_text((self._total - self.done) / rate)} left" if rate else ""
        return f"{self._what}: {self.done:,} of {self._total:,}{tempo}"

    @property
    def covered(self) -> tuple[int, float]:
        """Offsets covered since the beginning, and how long that has taken, in seconds."""
        began_s, first = self._begun
        return self.done - first, time.monotonic() - began_s

    @property
    def rate(self) -> float:
        """Offsets a second, over the last ten seconds."""
        (first_s, first), (last_s, last) = self._marks[0], self._marks[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0


class _Bar(Told):
    """The same as a bar."""

    def __init__(self, what: str, *, total: int, first: int, progress: object) -> None:
        super().__init__(what, total=total, first=first)
        self._progress = progress
        self._task = progress.add_task(what, total=total, completed=first, tempo="")  # type: ignore[attr-defined]

    def show(self, _now_s: float) -> None:
        """Move the bar."""
        tempo = f"{self.rate:,.0f}/s" if self.rate else ""
        self._progress.update(self._task, completed=self.done, tempo=tempo)  # type: ignore[attr-defined]


@contextmanager
def shown(what: str, *, total: int, first: int) -> Iterator[Told]:
    """What to call with the offsets covered so far."""
    if not sys.stderr.isatty():
        yield Told(what, total=total, first=first)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[tempo]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress:
        yield _Bar(what, total=total, first=first, progress=progress)


def duration_text(seconds: float) -> str:
    """A span of time as people say it: 12 s, 5 min, 2.5 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
