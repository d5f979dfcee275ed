"""What became of every id: counted from the ledger and from what a contestant left behind."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.loss.workload import Item


@dataclass(frozen=True, slots=True)
class Left:
    """What a contestant left behind when its workers had ended.

    Attributes:
        dead: ids in a dead-letter topic or queue.
        waiting: ids that a next worker would get: still queued, or not covered by a committed offset.
    """

    dead: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fates:
    """Of some ids that can't be handled: how many stand in a dead-letter topic or queue, still wait, or are gone."""

    dead: int = 0
    waiting: int = 0
    gone: int = 0

    def __str__(self) -> str:
        return f"{self.dead} / {self.waiting} / {self.gone}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One contestant's row.

    Attributes:
        published: ids that some attempt can handle, those that raise once included.
        handled: of these, handled at least once.
        lost: of these, never handled, and nowhere any more from where a worker would get them.
        transient_lost: of the lost, those that raised once.
        waiting: of these, never handled, and still queued at the end.
        dead: of these, never handled, but dead-lettered.
        twice: ids handled more than once.
        poison: of the poison ids.
        undecodable: of the undecodable values; None where there were none.
        kills: how often a worker was killed.
        seconds: from the first worker's start until nothing moved any more.
    """

    published: int
    handled: int
    lost: int
    transient_lost: int
    waiting: int
    dead: int
    twice: int
    poison: Fates
    undecodable: Fates | None
    kills: int = 0
    seconds: float = 0.0


def count(items: Iterable[Item], ledger: Iterable[str], left: Left, *, undecodable: Sequence[str] = ()) -> Outcome:
    """The row without kills and seconds.

    Args:
        items: the ids that were published.
        ledger: its lines, "<id> <worker>"; a last line without its worker was cut short, and is no handling.
        left: what was left behind.
        undecodable: keys of the undecodable values.
    """
    kinds = {item.item_id: item.kind for item in items}
    times = Counter(fields[0] for line in ledger if len(fields := line.split()) == 2)
    good = {item_id for item_id, kind in kinds.items() if kind != "poison"}
    missing = good - times.keys()
    dead = missing & left.dead
    waiting = (missing & left.waiting) - dead
    lost = missing - dead - waiting
    return Outcome(
        published=len(good),
        handled=len(good) - len(missing),
        lost=len(lost),
        transient_lost=sum(kinds[item_id] == "transient" for item_id in lost),
        waiting=len(waiting),
        dead=len(dead),
        twice=sum(each > 1 for each in times.values()),
        poison=_fates(kinds.keys() - good, left),
        undecodable=_fates(set(undecodable), left) if undecodable else None,
    )


def _fates(ids: set[str], left: Left) -> Fates:
    dead = ids & left.dead
    waiting = (ids & left.waiting) - dead
    return Fates(len(dead), len(waiting), len(ids) - len(dead) - len(waiting))
