"""What the contestants' tallies tell: how many events are handled, and how fast."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.errors import WrongCountsError
from bench.peers.tally import INTERVAL_S, KINDS, LINE

_S_PER_NS = 1e-9


@dataclass(frozen=True, slots=True)
class Progress:
    """A run's progress, all its processes together; times in nanoseconds of the machine's monotonic clock.

    Attributes:
        first_ns: when the first tally was written.
        first: how many events it counted.
        last_ns: when the last one was written.
        kinds: how many events are handled by now, by kind.
    """

    first_ns: int
    first: int
    last_ns: int
    kinds: Counter[str]

    @property
    def handled(self) -> int:
        """How many events are handled by now."""
        return self.kinds.total()

    @property
    def seconds(self) -> float:
        """From the first tally to the last."""
        return (self.last_ns - self.first_ns) * _S_PER_NS

    @property
    def events_per_s(self) -> float:
        """Events handled a second between the first tally and the last; a run with one tally was over within an interval."""
        if self.handled == self.first:
            return self.handled / INTERVAL_S
        return (self.handled - self.first) / self.seconds


def read(tallies: Path) -> Progress | None:
    """The progress that a folder of tallies shows; None before the first event is handled."""
    files = _lines(tallies)
    lines = [line for of_file in files for line in of_file]
    if not lines:
        return None
    first_ns, *first = min(lines)
    kinds: Counter[str] = Counter()
    for of_file in files:
        if of_file:
            kinds.update(dict(zip(KINDS, of_file[-1][1:], strict=True)))
    return Progress(first_ns, sum(first), max(lines)[0], kinds)


def rate_together(tallies: Path, workers: int) -> float:
    """Events handled a second while all of several workers were at work: from the last one's first tally to the first one's last.

    A child process that a rebalance has cut off, before the last worker began, is not among them: another took its place.

    Raises:
        WrongCountsError: if they never were.
    """
    files = [of_file for of_file in _lines(tallies) if of_file]
    from_ns = max(of_file[0][0] for of_file in files)
    files = [of_file for of_file in files if of_file[-1][0] > from_ns]
    if len(files) < workers:
        raise WrongCountsError("the workers were never at work at the same time")
    until_ns = min(of_file[-1][0] for of_file in files)
    handled = sum(_handled_by(of_file, until_ns) - _handled_by(of_file, from_ns) for of_file in files)
    return handled / ((until_ns - from_ns) * _S_PER_NS)


def _handled_by(of_file: list[tuple[int, ...]], at_ns: int) -> int:
    return max(sum(counts) for when_ns, *counts in of_file if when_ns <= at_ns)


def _lines(tallies: Path) -> list[list[tuple[int, ...]]]:
    return [list(LINE.iter_unpack(_whole_lines(path))) for path in tallies.iterdir()]


def _whole_lines(path: Path) -> bytes:
    data = path.read_bytes()
    return data[: len(data) // LINE.size * LINE.size]
