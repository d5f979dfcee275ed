"""What a replay wants of a topic: from where to where, which records, how fast; and the mark that they carry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from consumers.runtime.record import Headers, Record
from schemas.names import REPLAY

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Span:
    """A range of one partition's log.

    Attributes:
        topic_id: Kafka's id of the topic, since offsets mean nothing in another log.
        start: the first offset.
        end: one past the last.
    """

    topic_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Bound:
    """One partition's end, and what is wanted up to there.

    Attributes:
        until: the offset at which nothing more is taken.
        mark: a header for each record, so that its handler and its results can tell.
        wanted: whether a record is to be handled; the others are done without a handler.
    """

    until: int
    mark: tuple[str, bytes]
    wanted: Callable[[Record], bool] | None = None

    def marked(self, headers: Headers) -> Headers:
        """A record's headers with this mark; one of an earlier replay gives way."""
        return (*(pair for pair in headers if pair[0] != self.mark[0]), self.mark)


class Pace:
    """At most so many records a second; what was not taken in one second is not made up for in the next.

    Args:
        rate: records a second, above 0.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(1.0, rate)
        self._room = 1.0
        self._at_s: float | None = None

    def room(self, now_s: float) -> int:
        """How many records may be taken now."""
        passed_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._room = min(self._most, self._room + passed_s * self._rate)
        self._at_s = now_s
        return int(self._room)

    def took(self, records: int) -> None:
        """Note what was taken."""
        self._room -= records


@dataclass(frozen=True, slots=True)
class Bounds:
    """A replay, as far as the runtime goes: a group of its own over exactly these spans.

    Attributes:
        group: whose commits are the replay's progress.
        job: the mark's value.
        spans: by (topic, partition); a partition that is not here was added since, and is left alone.
        wanted: whether a record is to be handled; None for every one.
        rate: records a second; None for as fast as they go.
        lost: how many offsets of a span retention has taken before they were read, by place.
    """

    group: str
    job: str
    spans: Mapping[Place, Span]
    wanted: Callable[[Record], bool] | None = None
    rate: float | None = None
    lost: dict[Place, int] = field(default_factory=dict)

    def bound(self, until: int) -> Bound:
        """The bound of a partition that ends there."""
        return Bound(until, (REPLAY, self.job.encode()), self.wanted)

    def pace(self) -> Pace | None:
        """What holds the intake back; None for nothing."""
        return None if self.rate is None else Pace(self.rate)
