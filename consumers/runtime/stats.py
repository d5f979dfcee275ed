"""What an agent has done since it started: counts, a rate, and how long its handler takes."""

import math
import time
from collections import Counter, deque
from collections.abc import Mapping

_GROWTH = math.log(1.02)
_RATE_WINDOW_S = 5.0
_MARK_S = 0.2
_FIRST_MARK_S = 0.02
"""Soon after the first is finished: until there is a rate, an agent takes no more than 200 records at a time."""
_WEIGHT = 0.3


class Stats:
    """Written by the agent's own thread only; read by anybody, since each value is replaced whole.

    Attributes:
        handled: records whose handler returned.
        results: results acknowledged by the broker.
        retried: attempts that failed and were followed by another.
        dead_lettered: dead letters acknowledged by the broker.
        discarded: outcomes that came back after their partition was gone.
        failed: outcomes that were a failure, whatever became of the record.
        waited: failures that were not the record's: an unreachable dependency.
        mean_s: a moving average of the handling time in seconds; None before the first.
        mean_bytes: a moving average of a record's size.
    """

    def __init__(self) -> None:
        self.handled = 0
        self.results = 0
        self.retried = 0
        self.dead_lettered = 0
        self.discarded = 0
        self.failed = 0
        self.waited = 0
        self.mean_s: float | None = None
        self.mean_bytes = 0.0
        self._durations: Counter[int] = Counter()
        self._first_s: float | None = None
        self._last_s = 0.0
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def took(self, durations_us: Mapping[int, int]) -> None:
        """Note how long handlers took: how many records, by microseconds."""
        if not durations_us:
            return
        total_us = sum(us * count for us, count in durations_us.items())
        mean_s = max(1e-7, total_us / sum(durations_us.values()) / 1e6)
        self.mean_s = mean_s if self.mean_s is None else self.mean_s + _WEIGHT * (mean_s - self.mean_s)
        for us, count in durations_us.items():
            self._durations[int(math.log(us + 1) / _GROWTH)] += count

    def sized(self, total_bytes: int, records: int) -> None:
        """Note how large taken records are."""
        if self._first_s is None:
            # The rate goes from here: with the time before, it would be too low for seconds.
            self._first_s = time.monotonic()
            self._marks = deque([(self._first_s, 0)])
        mean = total_bytes / records
        self.mean_bytes += (mean - self.mean_bytes) * (_WEIGHT if self.mean_bytes else 1.0)

    def percentile_ms(self, share: float) -> float | None:
        """The handling time that `share` of the records stay below, in ms, at most 2 % off; None before the first."""
        durations = dict(self._durations)
        rank = share * sum(durations.values())
        for bucket in sorted(durations):
            rank -= durations[bucket]
            if rank <= 0:
                return math.exp((bucket + 0.5) * _GROWTH) / 1000
        return None

    def mark(self, now_s: float, finished: int) -> None:
        """Note how many records are finished by now; the rate goes by the last seconds' marks."""
        if finished > self._marks[-1][1]:
            self._last_s = now_s
        has_begun = len(self._marks) > 1
        if now_s - self._marks[-1][0] < (_MARK_S if has_begun else _FIRST_MARK_S):
            return
        if not has_begun and finished == self._marks[0][1]:
            self._marks[0] = (now_s, finished)  # what the first one takes, with its imports, says nothing of the others
        else:
            self._marks.append((now_s, finished))
            while now_s - self._marks[0][0] > _RATE_WINDOW_S:
                self._marks.popleft()

    @property
    def overall_rate(self) -> float:
        """Records finished a second, from the first record taken to the last one finished."""
        busy_s = self._last_s - (self._first_s or self._last_s)
        return (self.handled + self.dead_lettered) / busy_s if busy_s > 0 else 0.0

    @property
    def rate(self) -> float:
        """Records finished a second, over the last seconds."""
        (first_s, first), (last_s, last) = self._marks[0], self._marks[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0
