"""What was seen of one agent in one run: plain data, so that the checker needs no broker and can be tested by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.ledger import Handling
from tests.chaos.load import Sent
from tests.chaos.sampler import Commit
from tests.chaos.witness import Trip

Place = tuple[int, int, int]
"""(epoch, partition, offset): an epoch is one life of the topic."""
Range = tuple[int, int, int, int]
"""(epoch, partition, first offset, one past the last)."""
NEVER_NS = 1 << 62


@dataclass(frozen=True, slots=True)
class ResultSeen:
    """A result in its topic: the broker's append time, and the digest that the handler computed."""

    number: int
    at_ns: int
    digest: str


@dataclass(frozen=True, slots=True)
class LetterSeen:
    """A dead letter: when it was appended, and why it is no copy of its origin (empty where it is)."""

    number: int
    at_ns: int
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of an agent's dead letters once its handler was mended and all of them were redriven.

    Attributes:
        open: ids of the letters that `headrace dlq ls` still calls open.
        redriven: what stands in the retry topic, by number.
        handled: numbers in the order of their handling; a number may come again.
        letters: how many records the dead-letter topic has got since.
        waiting: how many offsets of the retry topic are not committed.
    """

    open: Sequence[str]
    redriven: Mapping[int, Sequence[LetterSeen]]
    handled: Sequence[int]
    letters: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Attack:
    """A fault that took partitions away, of one process or of all (pid None), until it was over.

    A worker's death is over at once: its partitions can be another's. A broker that is away is nobody's to work with.
    """

    fault: str
    at_ns: int
    pid: int | None
    over_ns: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One agent's run.

    Attributes:
        agent: its name.
        ordered: whether it promises order by key.
        exact: whether it promises that nothing is counted twice.
        publishes: whether it has a result topic.
        sent: every record, by number.
        acked: numbers that the broker acknowledged to the producer.
        places: where each record stands, by number: from reports, and from the log itself.
        handlings: the ledger, or the rows of an exact agent, in order.
        results: what stands in the result topic, by number.
        letters: what stands in the dead-letter topic, by number.
        parked: when the record came to a retry topic, by number, of an agent that keeps no order.
        commits: what the group said, in order.
        final: the last commit, by partition, of the last epoch.
        excused: ranges that a fault has deleted, or that the agent has said are lost.
        objects: digests of what stands in the object store, by number; None where nothing was to be stored.
        attacks: the faults that took partitions away.
        trips: how long commits took meanwhile, of a client that does nothing else.
        holdings: when which process held which partition, by (pid, partition): from and until, in ns since the epoch.
    """

    agent: str
    ordered: bool
    exact: bool
    publishes: bool
    sent: Mapping[int, Sent]
    acked: frozenset[int]
    places: Mapping[int, Place]
    handlings: Sequence[Handling]
    results: Mapping[int, Sequence[ResultSeen]]
    letters: Mapping[int, Sequence[LetterSeen]]
    commits: Sequence[Commit]
    final: Mapping[int, int]
    parked: Mapping[int, int] = field(default_factory=dict)
    excused: Sequence[Range] = ()
    objects: Mapping[int, str] | None = None
    attacks: Sequence[Attack] = ()
    trips: Sequence[Trip] = ()
    holdings: Mapping[tuple[int, int], Sequence[tuple[int, int]]] = field(default_factory=dict)
    epoch: int = 0
    poison: frozenset[int] = field(default_factory=frozenset)

    def is_excused(self, number: int) -> bool:
        """Whether the record was deleted by a fault, so that nobody owes anything for it."""
        place = self.places.get(number)
        return place is not None and any(
            (epoch, partition) == place[:2] and low <= place[2] < high for epoch, partition, low, high in self.excused
        )
