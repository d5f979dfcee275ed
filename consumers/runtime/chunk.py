"""Records of one partition and lane on their way through an executor; done by index."""

import math
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol, cast

from consumers.runtime.record import HELD, Failed, Held, Outcome, Record
from schemas.event import Event

if TYPE_CHECKING:
    from schemas.columnar import Columns


class Purpose(Enum):
    """What a chunk is for."""

    RECORDS = "records"
    """To handle its records."""
    ADVANCE = "advance"
    """Of an exact agent: to move the stored offset past records that need no rows, such as dead letters."""
    ALONE = "alone"
    """To handle its records, suspects, in a child process."""
    TRIAL = "trial"
    """Of an exact agent, to see in a child process whether its one record, a suspect, can be handled: nothing is kept of it."""
    TICK = "tick"
    """Of an exact agent: to do what time brings."""


SUSPECTED = frozenset({Purpose.ALONE, Purpose.TRIAL})
"""What runs in a child process, whatever the agent's executor is."""


class Owner(Protocol):
    """The assignment that a chunk belongs to, as far as an executor may know it."""

    topic: str
    partition: int
    stored: int

    @property
    def topic_id(self) -> str:
        """Kafka's id of the topic."""


@dataclass(slots=True, eq=False)
class Chunk:
    """One unit of dispatch: no future, lock or queue entry is spent on a single record.

    Attributes:
        owner: the assignment of a partition that the records belong to.
        lane: the lane of that partition, busy while the chunk is out.
        records: in offset order.
        key_of: what order goes by: after a failure, later records of the same key are held.
        deadline_s: seconds each record may take, or the whole chunk of a batch handler; None for no limit.
        limit_s: seconds after which no further record of it is started; for records that are expected to be brief.
        following: one past the highest offset that this chunk settles; for an exact agent's stored offset.
        outcomes: parallel to the records; None while there is none.
        failure: what went wrong with a chunk that has no records.
        waits_for: the dependency that it waits for, such as its database; not the fault of its records.
        answered: whether somebody has answered for it: then no further record of it is to be started.
        failed_keys: what order goes by, of the records that failed.
        events: parallel to the records, what they say, where that was decoded together.
        columns: what all of them say, where a batch was decoded while it waited; taken by the first attempt at it.
    """

    owner: Owner
    lane: int
    records: Sequence[Record]
    key_of: Callable[[Record], Hashable]
    deadline_s: float | None = None
    limit_s: float = math.inf
    purpose: Purpose = Purpose.RECORDS
    following: int = 0
    outcomes: list[Outcome | None] = field(default_factory=list)
    index: int = -1
    started_s: float = 0.0
    answered: bool = False
    failure: Failed | None = None
    waits_for: str | None = None
    _answer: threading.Lock = field(default_factory=threading.Lock)
    failed_keys: set[Hashable] = field(default_factory=set)
    events: Sequence[Event | None] | None = None
    columns: "Columns | None" = None

    def __post_init__(self) -> None:
        self.outcomes = [None] * len(self.records)

    def start(self, index: int) -> bool:
        """Note that this record runs from now on; False when it must be held instead."""
        if self.failed_keys and self.holds(index):
            return False
        self.index, self.started_s = index, time.monotonic()
        return True

    def holds(self, index: int) -> bool:
        """Whether a record must be held, because one of its key failed before it; then it is."""
        if self.key_of(self.records[index]) not in self.failed_keys:
            return False
        self.outcomes[index] = HELD
        return True

    def finish(self, index: int, outcome: Outcome) -> None:
        """Note a record's outcome; after a failure the later records of its key are held."""
        self.outcomes[index] = outcome
        if isinstance(outcome, Failed):
            self.failed_keys.add(self.key_of(self.records[index]))

    def waited(self) -> None:
        """What it waited for is there: its own time begins."""
        self.started_s = time.monotonic()
        self.waits_for = None

    def overdue(self, now_s: float) -> bool:
        """Whether the record that runs now is past its deadline."""
        return self.deadline_s is not None and self.started_s > 0 and now_s - self.started_s > self.deadline_s

    def answer(self) -> bool:
        """Whether the caller is the first to answer for this chunk: the executor's work, or the deadline."""
        if not self._answer.acquire(blocking=False):
            return False
        self.answered = True
        return True

    def settled(self, running: Failed | Held) -> list[Outcome]:
        """The outcomes so far: what was finished as it is, the running record as given, the rest held."""
        if all(self.outcomes):  # each of them is one, and none is None
            return cast("list[Outcome]", [*self.outcomes])
        outcomes: list[Outcome] = [HELD if outcome is None else outcome for outcome in self.outcomes]
        if 0 <= self.index < len(outcomes) and self.outcomes[self.index] is None:
            outcomes[self.index] = running
        return outcomes
