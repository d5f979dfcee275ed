"""One figure and its limit."""

from collections.abc import Sequence

import msgspec


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One figure.

    Attributes:
        name: of what was measured.
        title: in words.
        unit: of the figures.
        figures: each measurement, or each peer's, in order.
        value: what is held against the limit; None where it could not be measured.
        at_most: the limit; None where there is none.
        met: whether the value is within it.
        unavailable: why it could not be measured.
    """

    name: str
    title: str
    unit: str
    figures: list[float] = []
    value: float | None = None
    at_most: float | None = None
    met: bool | None = None
    unavailable: str | None = None


def limit(name: str, title: str, unit: str, *, figures: Sequence[float], value: float, at_most: float | None) -> Limit:
    """A figure with its verdict."""
    return Limit(
        name=name,
        title=title,
        unit=unit,
        figures=[round(figure, 3) for figure in figures],
        value=round(value, 3),
        at_most=at_most,
        met=None if at_most is None else value <= at_most,
    )


def markdown(found: Sequence[Limit]) -> str:
    """The figures as a table."""
    lines = ["| what | value | limit | | each |", "| --- | ---: | ---: | --- | --- |"]
    return "\n".join([*lines, *(_line(each) for each in found)])


def _line(each: Limit) -> str:
    if each.value is None:
        reason = " ".join((each.unavailable or "").replace("|", "/").split())
        return f"| {each.name}: {each.title} | unavailable: {reason} | | | |"
    bar = "" if each.at_most is None else f"{each.at_most:g} {each.unit}"
    met = {None: "", True: "met", False: "missed"}[each.met]
    figures = ", ".join(f"{figure:g}" for figure in each.figures)
    return f"| {each.name}: {each.title} | {each.value:g} {each.unit} | {bar} | {met} | {figures} |"
