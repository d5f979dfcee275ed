"""The table: as Markdown, which is plain enough to be printed too."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.loss.outcome import Outcome

COLUMNS = (
    "contestant", "handled", "lost", "of these transient", "still waiting", "dead-lettered", "handled twice",
    "poison: dead / waiting / gone", "undecodable: dead / waiting / gone", "kills", "s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One contestant: its outcome, or why there is none.

    Attributes:
        title: as the table calls it.
        version: of its packages and its broker.
        setting: what was set beside the defaults.
        outcome: what was counted, or the reason why it could not run.
    """

    title: str
    version: str
    setting: str
    outcome: Outcome | str


def markdown(rows: Sequence[Row]) -> str:
    """The results, one row a contestant."""
    lines = [_line(COLUMNS), _line(["---", *["---:"] * (len(COLUMNS) - 1)])]
    return "\n".join([*lines, *(_line(_cells(row)) for row in rows)])


def settings(rows: Sequence[Row]) -> str:
    """What ran, and what was set."""
    lines = [_line(["contestant", "versions", "set beside the defaults"]), _line(["---"] * 3)]
    return "\n".join([*lines, *(_line([row.title, row.version, row.setting]) for row in rows)])


def _cells(row: Row) -> list[str]:
    of = row.outcome
    if isinstance(of, str):
        reason = " ".join(of.replace("|", "/").split())
        return [row.title, f"unavailable: {reason}", *["–"] * (len(COLUMNS) - 2)]
    counts = [f"{of.handled:,} of {of.published:,}"]
    counts += [f"{number:,}" for number in (of.lost, of.transient_lost, of.waiting, of.dead, of.twice)]
    fates = [str(of.poison), str(of.undecodable) if of.undecodable else "–"]
    return [row.title, *counts, *fates, str(of.kills), f"{of.seconds:.0f}"]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
