"""Analytics replayed: shadow rows are filled beside the live ones, and take their place in one transaction."""

from collections.abc import Callable, Mapping
from contextlib import closing

import sqlalchemy as sa

from consumers.database import Database
from consumers.rollups import replacing
from consumers.rollups.replacing import Stand
from consumers.rollups.rows import Key
from consumers.runtime.state import outbox
from schemas.settings import Settings
from streams.replay.filling import Filler
from streams.replay.finished import Finished
from streams.replay.job import Job, ReplayError

_TRIES = 200
"""How often the shadow may catch up with a live group that has moved on again: some 20 s of trying, a few a second."""


def run(job: Job, settings: Settings, told: Callable[[int], None]) -> Finished:
    """Count the chosen windows anew, and replace them.

    The steps: 1. fill the shadow's rows up to where the live group stands, 2. lock the live rows and look whether they
    still stand there, 3. if not, let go, catch up, and try again, 4. replace what differs, and forget the shadow.

    Args:
        job: with its windows.
        settings: the broker and the database.
        told: called now and then with the offsets covered so far.

    Raises:
        ReplayError: when a batch cannot be counted, or when the live group never stands still for the swap.
        Unavailable: when the database is.
    """
    live = settings.names.group(str(job.agent))
    with closing(Filler(job, settings)) as filler, closing(Database(settings.database_url)) as database:
        filler.begin()
        for _ in range(_TRIES):
            filler.fill(stands(database, live, job.topic_id), told)  # 1, 3
            changed = _swap(database, job, live, job.group(settings.names))  # 2, 4
            if changed is not None:
                told(job.records)
                return _finished(changed, filler.passed_over)
    raise ReplayError(
        f"{live} has counted on each of the {_TRIES} times that the replay had caught up with it, so that its windows were "
        f"not replaced. What is counted anew is kept: go on when less comes in, or with the workers of {job.agent} stopped "
        "for a moment"
    )


def _swap(database: Database, job: Job, live: str, shadow: str) -> list[Key] | None:
    """Replace what differs, in one transaction; None, and nothing done, where the two do not stand at the same offsets."""
    since_us, until_us = job.windows or (0, 0)
    with database.transaction() as connection:
        ours, theirs = (replacing.lock(connection, group, job.topic_id) for group in (live, shadow))
        pairs = _pairs(ours, theirs)
        if pairs is None:
            return None
        changed = replacing.replace(connection, live, pairs, since_us=since_us, until_us=until_us)
        _forget(connection, shadow)
        return changed


def _finished(changed: list[Key], passed_over: int) -> Finished:
    passed = (
        f"; {passed_over:,} records were passed over: they are dead letters, and counted when redriven"
        if passed_over
        else ""
    )
    return Finished(f"{len(changed):,} windows have changed, and will be published as revisions{passed}")


def stands(database: Database, group: str, topic_id: str) -> dict[int, Stand]:
    """Where a group stands in a log, by partition; empty before it has begun."""
    from consumers.database import metadata, offsets

    if not database.holds(metadata):
        return {}
    with database.reading() as connection:
        rows = connection.execute(
            sa.select(offsets).where(offsets.c.group_name == group, offsets.c.topic_id == topic_id)
        )
        return {row.partition: Stand(row.source_id, row.next_offset) for row in rows}


def reached(job: Job, settings: Settings) -> int:
    """How many offsets the shadow's rows cover."""
    with closing(Database(settings.database_url)) as database:
        found = stands(database, job.group(settings.names), job.topic_id)
    return job.covered({number: stand.next_offset for number, stand in found.items()})


def forget(job: Job, settings: Settings) -> None:
    """Delete what a job has left in the database."""
    with closing(Database(settings.database_url)) as database, database.transaction() as connection:
        _forget(connection, job.group(settings.names))


def _forget(connection: sa.Connection, shadow: str) -> None:
    connection.execute(sa.delete(outbox).where(outbox.c.group_name == shadow))
    replacing.forget(connection, shadow)


def _pairs(live: Mapping[int, Stand], shadow: Mapping[int, Stand]) -> list[tuple[int, int]] | None:
    """The sources of each partition, live and shadow; None where they do not stand at the same offsets."""
    if {number: stand.next_offset for number, stand in live.items()} != {
        number: stand.next_offset for number, stand in shadow.items()
    }:
        return None
    return [(stand.source_id, shadow[number].source_id) for number, stand in live.items()]
