"""A dead dependency is not a poison message: when several records fail for it, the agent waits and probes (pure).

Circuit breaker after Nygard, "Release It!", chapter 5: closed, open, and half-open while a probe runs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Place = tuple[str, int, int]
"""Topic, partition, offset."""

_FAILURES = 5
_RECORDS = 3
"""It opens after five failures of at least three different records: one record alone may be the one at fault."""
_FIRST_PROBE_S = 1.0
_MOST_PROBE_S = 30.0
_PROBE_LIMIT_S = 60.0
_ALONE_TIMES = 2
"""A record that fails while others pass is at fault itself; once may be the beginning of an outage."""


@dataclass(slots=True)
class Circuit:
    """One dependency.

    Attributes:
        opened_s: when it opened, on the clock of `time.monotonic()`; None while it is closed.
        probes: how many records have been tried since.
    """

    opened_s: float | None = None
    probes: int = 0
    failures: int = 0
    records: set[Place] = field(default_factory=set)
    next_probe_s: float = 0.0
    interval_s: float = _FIRST_PROBE_S


class Circuits:
    """All dependencies of one agent; the runner's thread alone calls it.

    Args:
        batches: whether failures are of whole batches: one is many records then, and never at fault alone.
    """

    def __init__(self, *, batches: bool = False) -> None:
        self._batches = batches
        self._circuits: dict[str, Circuit] = {}
        self._passes = 0
        self._passes_before: dict[Place, int] = {}
        self._alone: dict[Place, int] = {}
        self._probing_since_s: float | None = None

    def failed(self, dependency: str, place: Place, now_s: float) -> bool:
        """Note that a record failed because of a dependency.

        Returns:
            Whether the failure is the record's own after all: others pass.
        """
        circuit = self._circuits.setdefault(dependency, Circuit())
        others_fail = bool(circuit.records - {place})
        alone = self._passes > self._passes_before.get(place, self._passes) and not others_fail
        self._passes_before[place] = self._passes
        self._alone[place] = 0 if others_fail else self._alone.get(place, 0) + alone
        circuit.failures += 1
        circuit.records.add(place)
        if (
            circuit.opened_s is not None and self._probing_since_s is not None
        ):  # else it was on its way before it opened
            circuit.interval_s = min(_MOST_PROBE_S, circuit.interval_s * 2)
            circuit.next_probe_s = now_s + circuit.interval_s
            self._probing_since_s = None
        elif (
            circuit.opened_s is None
            and circuit.failures >= _FAILURES
            and (len(circuit.records) >= _RECORDS or self._batches)
        ):
            circuit.opened_s, circuit.next_probe_s = now_s, now_s + circuit.interval_s
        return alone and self._alone[place] >= _ALONE_TIMES and not self._batches

    def passed(self, places: Callable[[], Iterable[Place]], count: int) -> None:
        """Note that so many records were handled: every dependency answers. Which ones is asked where that matters."""
        self._passes += count
        if self._circuits:
            self._circuits.clear()
            self._probing_since_s = None
        if self._passes_before:
            for place in places():
                self._passes_before.pop(place, None)
                self._alone.pop(place, None)

    def forget(self, place: Place) -> None:
        """The record ended otherwise: a failure of its own. A probe that ends so says nothing."""
        self.unanswered()
        self._passes_before.pop(place, None)
        self._alone.pop(place, None)

    def unanswered(self) -> None:
        """What was handed over last will tell nothing: it was held back, or its partition went elsewhere. The next probe may follow."""
        self._probing_since_s = None

    @property
    def open(self) -> dict[str, Circuit]:
        """The open ones, by dependency."""
        return {name: circuit for name, circuit in list(self._circuits.items()) if circuit.opened_s is not None}

    def allowance(self, now_s: float) -> int | None:
        """How many records may be handed over now: any number (None), one as a probe, or none."""
        waiting = self.open.values()
        if not waiting:
            return None
        if self._probing_since_s is not None and now_s - self._probing_since_s < _PROBE_LIMIT_S:
            return 0
        return int(all(circuit.next_probe_s <= now_s for circuit in waiting))

    def probing(self, now_s: float) -> None:
        """The one record was handed over."""
        self._probing_since_s = now_s
        for circuit in self.open.values():
            circuit.probes += 1
