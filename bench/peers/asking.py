"""Questions at an even pace, and how long each answer took; the standard library alone, for it runs beside the peers."""

import json
import threading
import time
from collections.abc import Callable

PER_S = 500
SECONDS = 15
SETTLE_S = 3
"""The answers of the first seconds are left out: clients connect, and caches fill."""
ANSWER_LIMIT_S = 10.0


class Answers:
    """Collects answers; the receiver calls `came`."""

    def __init__(self) -> None:
        self._took_us: list[tuple[int, int]] = []
        self._all = threading.Event()

    def came(self, asked_us: int) -> None:
        """Note the answer to the question of this time, in microseconds since the epoch."""
        self._took_us.append((asked_us, time.time_ns() // 1000 - asked_us))
        if len(self._took_us) >= PER_S * SECONDS:
            self._all.set()

    def print(self, began_us: int) -> None:
        """Wait for the last answers, and print the percentiles as JSON."""
        self._all.wait(ANSWER_LIMIT_S)
        took_us = sorted(took for asked_us, took in list(self._took_us) if asked_us - began_us >= SETTLE_S * 1_000_000)
        figures = {"answers": len(self._took_us), "p50_ms": _at(took_us, 0.50), "p99_ms": _at(took_us, 0.99)}
        print(json.dumps(figures), flush=True)


def ask(question: Callable[[int], object]) -> int:
    """Ask at an even pace, each question with its time in microseconds since the epoch; the time of the first."""
    began_us, began_s = time.time_ns() // 1000, time.perf_counter()
    for number in range(PER_S * SECONDS):
        time.sleep(max(0.0, began_s + number / PER_S - time.perf_counter()))
        question(time.time_ns() // 1000)
    return began_us


def _at(rising: list[int], share: float) -> float:
    return rising[min(len(rising) - 1, int(share * len(rising)))] / 1000 if rising else 0.0
