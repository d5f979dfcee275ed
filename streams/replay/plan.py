"""From two positions to a range of each partition, and what of it retention has taken. Pure but for `look_up`."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from schemas.settings import Settings
from streams.positions import Position
from streams.replay.groups import Groups
from streams.replay.job import Slice
from streams.topic_reader import TopicReader


@dataclass(frozen=True, slots=True)
class Part:
    """One partition's part of a plan.

    Attributes:
        start: the first offset.
        end: one past the last.
        low: the first offset that is kept.
        lost: how many offsets of the range retention has taken.
        perhaps_lost: how many it has taken that may have belonged to the range: nobody knows the times of what is gone.
    """

    partition: int
    start: int
    end: int
    low: int
    lost: int = 0
    perhaps_lost: int = 0

    @property
    def records(self) -> int:
        """How many offsets there are: records at most."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Plan:
    """A range of a topic.

    Attributes:
        topic: the broker's name.
        topic_id: Kafka's id of it.
        parts: by partition, rising.
    """

    topic: str
    topic_id: str
    parts: tuple[Part, ...]

    @property
    def records(self) -> int:
        """How many offsets there are in all."""
        return sum(part.records for part in self.parts)

    @property
    def slices(self) -> tuple[Slice, ...]:
        """The same for the job."""
        return tuple(Slice(part.partition, part.start, part.end) for part in self.parts)

    def losses(self) -> list[str]:
        """What retention has taken of the range, one sentence a partition."""
        said = []
        for part in self.parts:
            place = f"{self.topic} [{part.partition}]"
            if part.lost:
                gone = f"offsets {part.low - part.lost} to {part.low - 1}"
                said.append(f"{place}: retention has taken {part.lost:,} offsets of the range ({gone})")
            elif part.perhaps_lost:
                gone = f"everything before offset {part.low}; up to {part.perhaps_lost:,} records of it"
                said.append(f"{place}: retention has taken {gone} may have belonged to the range")
        return said


def look_up(settings: Settings, topic: str, start: Position, end: Position) -> Plan:
    """The plan of a range, by the broker's word.

    Args:
        settings: where the broker is.
        topic: the broker's name.
        start: inclusive.
        end: exclusive; never beyond where the log ends now.

    Raises:
        UnknownTopicError: if the broker has no such topic.
        TimedOutError: if it does not answer in time.
    """
    reader = TopicReader(settings, topic)
    try:
        starts, ends = reader.offsets(start), reader.offsets(end)
        bounds = reader.bounds
    finally:
        reader.close()
    with closing(Groups(settings)) as groups:
        topic_id = groups.topic_id(topic)
    return Plan(topic, topic_id, parts_of(start, end, starts, ends, bounds))


def parts_of(
    start: Position,
    end: Position,
    starts: Mapping[int, int],
    ends: Mapping[int, int],
    bounds: Mapping[int, tuple[int, int]],
) -> tuple[Part, ...]:
    """The parts of a range.

    Args:
        start: as it was asked.
        end: the same.
        starts: the offset that it came to, by partition.
        ends: the same.
        bounds: the first offset kept, and one past the last, by partition.
    """
    return tuple(
        _part(partition, (start, end), starts[partition], ends[partition], bounds[partition])
        for partition in sorted(bounds)
    )


def _part(partition: int, asked: tuple[Position, Position], start: int, end: int, bounds: tuple[int, int]) -> Part:
    low, high = bounds
    start = min(max(start, low), high)
    end = max(start, min(end, high))
    wanted, until = asked
    lost = perhaps = 0
    if wanted.kind == "offset" and wanted.number < low:
        lost = (min(low, until.number) if until.kind == "offset" else low) - wanted.number
    elif wanted.kind == "time" and start == low:
        perhaps = low
    return Part(partition, start, end, low, max(0, lost), perhaps)
