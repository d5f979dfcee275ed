"""The series: what grows, over which values, and how a point is measured."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from bench import consuming
from bench.consuming import worker
from bench.events import USERS, activities
from bench.ground import Ground
from bench.scaling import agents
from bench.scaling.agents import AGENTS_AT_ONCE, BACKLOG, KEYS, PARTITIONS, SHARED, SIZES_BYTES
from schemas.records import ActivityRecorded

CATALOGUE = agents.__name__
_EVENTS = 400_000
_OF_ALL_SIZES_BYTES = 150_000_000
"""In each topic of the sizes; of small events fewer, so that no topic has more than the others' number."""
_OVERHEAD_BYTES = 100
_BACKLOGS = (10_000, 100_000, 1_000_000, 10_000_000)
_WORKERS = (1, 2, 3, 4)
_SHARED_EVENTS = 3_000_000
"""Four workers on two cores are seconds apart when they start: 400,000 events were done before the last of them had begun."""
_DIFFERENT = 20_000


@dataclass(frozen=True, slots=True)
class Series:
    """One line.

    Attributes:
        name: as `--only` takes it.
        title: of the line's axis.
        values: what it is measured at.
        point: gives events a second at a value.
    """

    name: str
    title: str
    values: tuple[int, ...]
    point: Callable[[Ground, int], float]


def _run(ground: Ground, name: str, topic: str, *names: str, workers: int = 1) -> float:
    return consuming.run(ground, name, worker(*names, catalogue=CATALOGUE, topic=topic, workers=workers))


def _partitions(ground: Ground, number: int) -> float:
    topic = f"scale.partitions-{number}"
    _fill(ground, topic)
    return _run(ground, topic, topic, f"partitions-{number}")


def _size(ground: Ground, size_bytes: int) -> float:
    topic = f"scale.size-{size_bytes}"
    if not ground.records_in(topic):
        count = min(_EVENTS, _OF_ALL_SIZES_BYTES // size_bytes)
        ground.fill_with(_events_of(size_bytes), count, topic=topic)
    return _run(ground, topic, topic, f"size-{size_bytes}")


def _events_of(size_bytes: int) -> list[ActivityRecorded]:
    """Events of about that size; random text, since what repeats itself would be compressed away."""
    different = min(_DIFFERENT, 20_000_000 // size_bytes)
    chance = random.Random(size_bytes)  # noqa: S311  reproducible, not secret
    return [
        msgspec.structs.replace(event, url=chance.randbytes(max(1, size_bytes - _OVERHEAD_BYTES) // 2 + 1).hex())
        for event in activities(different)
    ]


def _keys(ground: Ground, number: int) -> float:
    topic = f"scale.keys-{number}"
    if not ground.records_in(topic):
        ground.fill_with(list(activities(_EVENTS, users=number)), _EVENTS, topic=topic)
    return _run(ground, topic, topic, f"keys-{number}")


def _workers(ground: Ground, number: int) -> float:
    ground.fill_backlog(_SHARED_EVENTS, topic=SHARED)
    return _run(ground, f"workers-{number}", SHARED, "sharing", workers=number)


def _agents(ground: Ground, number: int) -> float:
    topic = "scale.partitions-4"
    _fill(ground, topic)
    return _run(ground, f"agents-{number}", topic, *(f"several-{each}" for each in range(1, number + 1)))


def _backlog(ground: Ground, number: int) -> float:
    ground.fill_backlog(number, topic=BACKLOG)
    return _run(ground, f"backlog-{number}", BACKLOG, "backlog-deep")


def _fill(ground: Ground, topic: str) -> None:
    if not ground.records_in(topic):
        ground.fill_with(list(activities(_DIFFERENT, users=USERS)), _EVENTS, topic=topic)


SERIES = (
    Series("partitions", "partitions of the topic", PARTITIONS, _partitions),
    Series("size", "bytes of an event", SIZES_BYTES, _size),
    Series("keys", "different keys, 8 thread lanes", KEYS, _keys),
    Series("workers", "worker processes", _WORKERS, _workers),
    Series("agents", "agents in one worker, each over every event", AGENTS_AT_ONCE, _agents),
    Series("backlog", "events in the backlog", _BACKLOGS, _backlog),
)
