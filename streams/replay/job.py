"""A replay as it stands in headrace.jobs: what was asked, the range by partition, and how far it has come."""

import secrets
import time
from typing import Literal

import msgspec

from consumers.runtime.bounds import Bounds, Place, Span
from schemas.errors import HeadraceError
from schemas.names import Names

Mode = Literal["shadow", "rewind", "republish"]
State = Literal["running", "interrupted", "failed", "done", "cancelled"]
OPEN: frozenset[State] = frozenset({"running", "interrupted", "failed"})
"""States that `resume` goes on from. "running" may be a process that was killed."""


class ReplayError(HeadraceError):
    """Raised when a replay cannot go on; what it has done stays done, and its job can be resumed."""


class Slice(msgspec.Struct, frozen=True):
    """One partition's range: `start` inclusive, `end` exclusive."""

    partition: int
    start: int
    end: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One replay.

    Attributes:
        id: eight hexadecimal digits.
        topic: the topic's name in the catalogue, without the prefix.
        topic_id: Kafka's id of the topic, since offsets mean nothing in another log of that name.
        agent: who works on it; None for a republish.
        start: the position as it was given.
        end: the same.
        slices: the range that it came to, by partition; of a rewind, where the group is set and where the log ended.
        windows: of analytics, from which window to which: microseconds since the epoch, the end exclusive.
        key: only records of this key.
        where: only records whose fields are so.
        rate: records a second; None for as fast as they go.
        to_topic: of a republish, the name without the prefix.
        publish: whether results go to the live topic.
        pause: whether a rewind may close the agent's consumers.
        done: offsets covered when the job was last heard of.
        failures: records that were dead-lettered, or lost to retention.
        said: the last thing to say of it.
        timed_records: offsets covered by the processes that have said how long they took; one that was killed has not.
        timed_s: how long that was, in seconds.
    """

    id: str
    mode: Mode
    topic: str
    topic_id: str
    slices: tuple[Slice, ...]
    start: str
    end: str
    agent: str | None = None
    windows: tuple[int, int] | None = None
    key: str | None = None
    where: str | None = None
    rate: float | None = None
    to_topic: str | None = None
    publish: bool = False
    pause: bool = False
    state: State = "running"
    done: int = 0
    failures: int = 0
    said: str = ""
    timed_records: int = 0
    timed_s: float = 0.0
    created_ms: int = 0
    updated_ms: int = 0

    @property
    def records(self) -> int:
        """How many offsets the range has: records at most, since compaction and transactions leave gaps."""
        return sum(part.end - part.start for part in self.slices)

    def group(self, names: Names) -> str:
        """The consumer group whose commits are the job's progress."""
        return names.replay_group(self.agent or "republish", self.id)

    def bounds(self, names: Names) -> Bounds:
        """The same for the runtime."""
        topic = names.topic(self.topic)
        spans: dict[Place, Span] = {
            (topic, part.partition): Span(self.topic_id, part.start, part.end) for part in self.slices
        }
        return Bounds(group=self.group(names), job=self.id, spans=spans, rate=self.rate)

    def covered(self, reached: dict[int, int]) -> int:
        """How many offsets of the range lie below what was reached, by partition."""
        return sum(min(max(reached.get(part.partition, 0), part.start), part.end) - part.start for part in self.slices)

    def changed(self, **changes: object) -> "Job":
        """The job with these attributes, at this moment."""
        return msgspec.structs.replace(self, updated_ms=now_ms(), **changes)


def new_id() -> str:
    """An id that no other job has, fit for topic and group names."""
    return secrets.token_hex(4)


def now_ms() -> int:
    """The clock, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
