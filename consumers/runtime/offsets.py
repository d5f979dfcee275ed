"""Where a partition starts, and what is lost when its commit no longer fits its log. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from consumers.runtime import metadata
from consumers.runtime.metadata import Birth, Note


@dataclass(frozen=True, slots=True)
class Log:
    """A partition's log as the broker has it now.

    Attributes:
        topic_id: the topic's id.
        low: offset of the first record kept.
        high: one past the last.
        partitions: how many the topic has.
    """

    topic_id: str
    low: int
    high: int
    partitions: int = 1


@dataclass(frozen=True, slots=True)
class Committed:
    """What the group, or the database, says of a partition.

    Attributes:
        offset: of the next record to handle; -1 where only the log is remembered, and not how far it was read.
        topic_id: the id of the topic it was said for; None where that is unknown.
        said: its metadata, whole.
    """

    offset: int
    topic_id: str | None
    said: str | None = None

    @classmethod
    def of(cls, offset: int, said: str | None) -> "Committed | None":
        """A group's commit; librdkafka says a negative offset where there is none."""
        return cls(offset, metadata.decode(said).topic_id, said) if offset >= 0 else None


@dataclass(frozen=True, slots=True)
class Start:
    """Where to start.

    Attributes:
        offset: of the first record to take.
        misfit: why the commit does not fit the log, with the range that is lost; None where it fits.
        stopped: whether the agent's policy is to leave the partition alone until somebody decides.
    """

    offset: int
    misfit: str | None = None
    stopped: bool = False


Policy = Literal["stop", "earliest", "latest"]


def start_of(committed: Committed | None, log: Log, *, first: int, reset: Policy) -> Start:
    """Where a partition starts; librdkafka never chooses.

    Args:
        committed: what is known; None for a partition without a commit.
        log: the partition as it is.
        first: where the group begins a partition that it has never read, by the catalogue's word.
        reset: the catalogue's word for a commit that does not fit.
    """
    if committed is None:
        return Start(first)
    misfit = misfit_of(committed, log)
    if misfit is None:
        return Start(committed.offset)
    if reset == "stop":
        return Start(max(committed.offset, 0), misfit, stopped=True)
    return Start(log.low if reset == "earliest" else log.high, misfit)


def birth_of(notes: Iterable[Note], log: Log, *, now_ms: int) -> Birth:
    """When the group began to read a topic: as the earliest of its commits says, else now."""
    births = [note.birth for note in notes if note.birth is not None]
    return min(births, default=Birth(now_ms, log.partitions))


def misfit_of(committed: Committed, log: Log) -> str | None:
    """Why a commit means nothing in this log, naming the range that is lost; None where it fits."""
    if committed.topic_id is not None and committed.topic_id != log.topic_id:
        unread = f"followed offset {committed.offset}" if committed.offset >= 0 else "was not handled yet"
        return (
            f"the topic was deleted and made again (id {committed.topic_id}, now {log.topic_id}): "
            f"whatever {unread} in the old topic is lost"
        )
    if committed.offset < log.low:
        lost = log.low - committed.offset
        return f"retention passed the commit: offsets {committed.offset} to {log.low - 1} are lost ({lost} at most)"
    if committed.offset > log.high:
        return f"the commit {committed.offset} lies past the log's end {log.high}: the log was cut or replaced"
    return None
