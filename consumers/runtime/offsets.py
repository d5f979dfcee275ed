"""Where a partition starts, and what is lost when its commit no longer fits its log. Pure."""

from dataclasses import dataclass
from typing import Literal

from consumers.runtime.metadata import topic_id_of


@dataclass(frozen=True, slots=True)
class Log:
    """A partition's log as the broker has it now.

    Attributes:
        topic_id: the topic's id.
        low: offset of the first record kept.
        high: one past the last.
    """

    topic_id: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Committed:
    """What the group, or the database, says of a partition.

    Attributes:
        offset: of the next record to handle.
        topic_id: the id of the topic it was said for; None where that is unknown.
    """

    offset: int
    topic_id: str | None

    @classmethod
    def of(cls, offset: int, metadata: str | None) -> "Committed | None":
        """A group's commit; librdkafka says a negative offset where there is none."""
        return cls(offset, topic_id_of(metadata)) if offset >= 0 else None


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


def start_of(
    committed: Committed | None, log: Log, *, start: Literal["earliest", "latest"], reset: Policy, group_is_new: bool
) -> Start:
    """Where a partition starts; librdkafka never chooses.

    Args:
        committed: what is known; None for a partition without a commit.
        log: the partition as it is.
        start: the catalogue's word for a new group.
        reset: the catalogue's word for a commit that does not fit.
        group_is_new: whether no partition of the topic has a commit; a partition added later starts at its beginning.
    """
    if committed is None:
        return Start(log.high if start == "latest" and group_is_new else log.low)
    misfit = misfit_of(committed, log)
    if misfit is None:
        return Start(committed.offset)
    if reset == "stop":
        return Start(committed.offset, misfit, stopped=True)
    return Start(log.low if reset == "earliest" else log.high, misfit)


def misfit_of(committed: Committed, log: Log) -> str | None:
    """Why a commit means nothing in this log, naming the range that is lost; None where it fits."""
    if committed.topic_id is not None and committed.topic_id != log.topic_id:
        return (
            f"the topic was deleted and made again (id {committed.topic_id}, now {log.topic_id}): "
            f"whatever followed offset {committed.offset} in the old topic is lost"
        )
    if committed.offset < log.low:
        lost = log.low - committed.offset
        return f"retention passed the commit: offsets {committed.offset} to {log.low - 1} are lost ({lost} at most)"
    if committed.offset > log.high:
        return f"the commit {committed.offset} lies past the log's end {log.high}: the log was cut or replaced"
    return None
