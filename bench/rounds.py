"""The rounds: every row once in each, in alternating order, since what runs first finds another machine than what runs last."""

import time
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaException

from bench.errors import BenchError
from bench.ground import Ground
from bench.rows import Row


def run(
    rows: Sequence[Row], ground: Ground, *, rounds: int, say: Callable[[str], None]
) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Run them.

    Returns:
        By row, events a second of each round; and why a row failed, which is then left out of the further rounds.
    """
    rates: dict[str, list[float]] = {row.name: [] for row in rows if row.run}
    failures: dict[str, str] = {}
    for number in range(rounds):
        for row in in_order(rows, number):
            if row.run is None or row.name in failures:
                continue
            started_s = time.monotonic()
            try:
                rate = row.run(ground)
            except (BenchError, KafkaException, TimeoutError) as error:
                failures[row.name] = str(error)
                say(f"{row.name}: {error}")
            else:
                rates[row.name].append(rate)
                say(f"round {number + 1}  {row.name:20} {rate:12,.0f} /s  ({time.monotonic() - started_s:.0f} s)")
    return rates, failures


def in_order(rows: Sequence[Row], number: int) -> list[Row]:
    """The rows in the order of a round, counted from 0: backwards in every other one."""
    return list(rows) if number % 2 == 0 else list(reversed(rows))
