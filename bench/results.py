"""From the figures of the rounds to results: least, median and most, and the ratio to another row in the same rounds."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import msgspec

from bench.rows import Row


class Spread(msgspec.Struct, frozen=True):
    """Least, median and most of some figures."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """The spread of at least one figure."""
        return cls(min(figures), median(figures), max(figures))


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One row's outcome.

    Attributes:
        name: the row's.
        title: the row's.
        events_per_s: over the rounds; None if it could not run.
        ratio: the median of the rounds' ratios to the row `against`; 1.0 for a row that others are measured against.
        ratios: of each round.
        against: that row's name.
        at_least: the bar.
        met: whether the ratio reaches it; None where there is no bar, or no figure.
        unavailable: why it could not run.
    """

    name: str
    title: str
    events_per_s: Spread | None = None
    ratio: float | None = None
    ratios: list[float] = []
    against: str | None = None
    at_least: float | None = None
    met: bool | None = None
    unavailable: str | None = None


Rates = Mapping[str, Sequence[float]]
"""By row, events a second of each round."""


def results(rows: Sequence[Row], rates: Rates, failures: Mapping[str, str]) -> list[Result]:
    """The results of the rows, in their order.

    Args:
        rows: those that were to run.
        rates: of each row that ran in every round.
        failures: why a row did not.
    """
    return [_result(row, rates, failures.get(row.of or row.name)) for row in rows]


def _result(row: Row, rates: Rates, failure: str | None) -> Result:
    own = rates.get(row.of or row.name, ())
    if failure is not None or not own:
        return Result(
            name=row.name,
            title=row.title,
            against=row.against,
            at_least=row.at_least,
            unavailable=failure or "no round",
        )
    others = rates.get(row.against or row.name, ())
    ratios = [round(rate / other, 3) for rate, other in zip(own, others, strict=False)]
    ratio = round(median(ratios), 3) if ratios else None
    return Result(
        name=row.name,
        title=row.title,
        events_per_s=Spread.of([round(rate, 1) for rate in own]),
        ratio=ratio,
        ratios=ratios,
        against=row.against,
        at_least=row.at_least,
        met=None if row.at_least is None or ratio is None else ratio >= row.at_least,
    )


def plain(found: Sequence[Result], about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The results as they are written: each with the machine, the versions and the date."""
    return [{**msgspec.to_builtins(result), **about} for result in found]
