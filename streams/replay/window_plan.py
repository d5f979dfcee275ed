"""Which windows of analytics a replay counts anew, from which offsets; those that retention has partly eaten are refused."""

import time
from collections.abc import Mapping
from contextlib import closing

import sqlalchemy as sa

from consumers.database import Database
from consumers.rollups import replacing, tables
from consumers.rollups.lateness import AHEAD_US
from consumers.rollups.replacing import Stand
from consumers.rollups.summary import WINDOW_US
from consumers.runtime.agent import Agent
from schemas.errors import ConfigurationError
from schemas.settings import Settings
from streams.positions import Position
from streams.replay import windows
from streams.replay.estimate import expected
from streams.replay.groups import Groups
from streams.replay.job import Job, Slice, new_id, now_ms
from streams.replay.request import Prepared, Request
from streams.shown import time_text
from streams.topic_reader import TopicReader

_NAMED = 5


def prepare(request: Request, settings: Settings, agent: Agent, start: Position, end: Position) -> Prepared:
    """The job and its plan.

    Raises:
        ConfigurationError: when the positions are no times, when there is nothing to replace, or when retention has taken
            events of the windows.
        Unavailable: when the database is.
    """
    if start.kind not in {"time", "start"} or end.kind not in {"time", "end"} or start.number * end.number < 0:
        raise ConfigurationError([f"{agent.name} is replayed by window: give times, such as --from @-2h --to @-1h"])
    topic, group = settings.names.topic(request.topic), settings.names.group(agent.name)
    with closing(Groups(settings)) as groups:
        topic_id = groups.topic_id(topic)
    with closing(Database(settings.database_url)) as database, closing(TopicReader(settings, topic)) as reader:
        stands = windows.stands(database, group, topic_id)
        first_us = _first_counted(database, group) if stands else None
        if first_us is None:
            raise ConfigurationError([f"{group} has counted nothing of {topic} yet: there is nothing to replace"])
        chosen = _chosen(start, end, first_us)
        whole_us = _first_whole(reader, database, stands, chosen[0])
        kept, notes = _whole(chosen, whole_us, may_narrow=start.kind == "start")
        if kept[0] >= kept[1]:
            raise ConfigurationError([f"there is no window from {request.start} to {request.end or 'end'}"])
        slices = _slices(reader, stands, kept[0])
    job = _job(request, agent, topic_id, slices, kept)
    rows = [
        {"partition": part.partition, "from": part.start, "to": part.end, "records": part.end - part.start}
        for part in slices
    ]
    headline = (
        f"{agent.name} counts the windows from {_shown(kept[0])} to {_shown(kept[1])} anew, from up to "
        f"{job.records:,} records, and replaces what differs in one transaction"
    )
    return Prepared(job, rows, [headline, expected(job, settings), *notes])


def _chosen(start: Position, end: Position, first_us: int) -> tuple[int, int]:
    """The windows that are asked for, whole: from the first one's start to the last one's end, in microseconds."""
    since_us = start.number * 1000 // WINDOW_US * WINDOW_US if start.kind == "time" else first_us
    until_us = end.number * 1000 if end.kind == "time" else time.time_ns() // 1000 + AHEAD_US
    return since_us, -(-until_us // WINDOW_US) * WINDOW_US


def _whole(chosen: tuple[int, int], whole_us: int, *, may_narrow: bool) -> tuple[tuple[int, int], list[str]]:
    """The windows of which all events are there, and what is to be said of the others.

    Raises:
        ConfigurationError: when retention has taken events of windows that were asked for by name, or of all of them.
    """
    since_us, until_us = chosen
    if whole_us <= since_us:
        return chosen, []
    lost = _named(since_us, min(whole_us, until_us))
    if not may_narrow or whole_us >= until_us:
        raise ConfigurationError([f"retention has taken events of {lost}: they cannot be counted anew"])
    return (whole_us, until_us), [f"retention has taken events of {lost}: they stay as they are"]


def _job(request: Request, agent: Agent, topic_id: str, slices: tuple[Slice, ...], chosen: tuple[int, int]) -> Job:
    at_ms = now_ms()
    return Job(
        id=new_id(),
        mode="shadow",
        topic=request.topic,
        topic_id=topic_id,
        slices=slices,
        windows=chosen,
        start=request.start,
        end=request.end or "end",
        agent=agent.name,
        created_ms=at_ms,
        updated_ms=at_ms,
    )


def _slices(reader: TopicReader, stands: Mapping[int, Stand], since_us: int) -> tuple[Slice, ...]:
    """From the first offset that can hold the windows to where the live group stands.

    An event is counted only up to five minutes ahead of its record's timestamp: what was written before that cannot be of
    these windows, and cannot make an event of theirs late either.
    """
    starts = reader.offsets(Position("time", max(0, since_us - AHEAD_US) // 1000))
    return tuple(
        Slice(number, min(starts[number], stand.next_offset), stand.next_offset)
        for number, stand in sorted(stands.items())
        if number in starts
    )


def _first_counted(database: Database, group: str) -> int | None:
    if not database.holds(tables.metadata):
        return None
    with database.reading() as connection:
        return replacing.earliest(connection, group)


def _first_whole(reader: TopicReader, database: Database, stands: Mapping[int, Stand], since_us: int) -> int:
    """The first window, from `since_us` on, of which every partition has all events."""
    starts = reader.offsets(Position("time", max(0, since_us - AHEAD_US) // 1000))
    first_us = since_us
    for number, stand in stands.items():
        low, _ = reader.bounds.get(number, (0, 0))
        if low > 0 and starts.get(number) == low:
            eaten_us = _eaten_until(reader, database, number, stand)
            first_us = max(first_us, (eaten_us // WINDOW_US + 1) * WINDOW_US)
    return first_us


def _eaten_until(reader: TopicReader, database: Database, number: int, stand: Stand) -> int:
    """No event that retention has taken from a partition is later than this, in microseconds since the epoch."""
    low, high = reader.bounds[number]
    for message in reader.read({number: low}, {number: high}):
        timestamp_us: int = message.timestamp()[1] * 1000
        return timestamp_us + AHEAD_US
    marks = tables.watermarks
    with database.reading() as connection:  # nothing is kept: what was counted last says how far the events went
        chosen = sa.select(marks.c.largest_occurred_at).where(marks.c.source_id == stand.source_id)
        return connection.execute(chosen).scalar_one_or_none() or 0


def _named(since_us: int, until_us: int) -> str:
    """Windows by name: all of a few, the first and the last of many."""
    starts = [_shown(start) for start in range(since_us, until_us, WINDOW_US)]
    few = ", ".join(starts) if len(starts) <= _NAMED else f"{starts[0]} to {starts[-1]}"
    return f"{len(starts):,} window{'s' if len(starts) > 1 else ''} ({few})"


def _shown(time_us: int) -> str:
    return time_text(time_us // 1000).replace(".000Z", "Z")
