"""Windows merged over partitions: what is published, and what the command prints."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from consumers.database import offsets
from consumers.rollups import urls
from consumers.rollups.rows import Key, Stored, stored_from
from consumers.rollups.summary import Summary, merged
from consumers.rollups.tables import summaries, url_counts

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Window:
    """One window and kind, over all partitions.

    Attributes:
        key: which.
        summary: of all its events.
        top_urls: the most used and their counts, ties by name.
        counts: the events counted, by source.
    """

    key: Key
    summary: Summary
    top_urls: list[tuple[str, int]]
    counts: Mapping[int, int]


def between(connection: sa.Connection, group: str, *, since_us: int, until_us: int) -> list[Window]:
    """The windows that begin within this time, in order; `until_us` is exclusive."""
    within = sa.and_(summaries.c.window_start >= since_us, summaries.c.window_start < until_us)
    return _windows(connection, group, [within])


def chosen(connection: sa.Connection, group: str, keys: Sequence[Key]) -> list[Window]:
    """These windows and kinds, in order."""
    starts = sorted({key.window_start for key in keys})
    pieces = [starts[index : index + _AT_ONCE] for index in range(0, len(starts), _AT_ONCE)]
    wanted = set(keys)
    found = _windows(connection, group, [summaries.c.window_start.in_(piece) for piece in pieces])
    return [window for window in found if window.key in wanted]


def _windows(connection: sa.Connection, group: str, conditions: Iterable[sa.ColumnElement[bool]]) -> list[Window]:
    by_key: dict[Key, dict[int, Stored]] = {}
    for condition in conditions:
        rows = sa.select(summaries).where(summaries.c.source_id.in_(sources(group)), condition)
        for row in connection.execute(rows).mappings():
            by_key.setdefault(Key(row["window_start"], row["kind"]), {})[row["source_id"]] = stored_from(row)
    return [_window(connection, key, by_key[key]) for key in sorted(by_key)]


def sources(group: str) -> sa.Select[Any]:
    """The ids of a group's partitions."""
    return sa.select(offsets.c.source_id).where(offsets.c.group_name == group)


def _window(connection: sa.Connection, key: Key, stored: Mapping[int, Stored]) -> Window:
    return Window(
        key,
        merged([summary for summary, _ in stored.values()]),
        urls.top(_urls(connection, key, stored)),
        {source_id: summary.count for source_id, (summary, _) in stored.items()},
    )


def _urls(connection: sa.Connection, key: Key, stored: Mapping[int, Stored]) -> Counter[str]:
    """Counts of all urls: the packed ones of each partition, and the rows of those that have too many."""
    counts: Counter[str] = Counter()
    for _, packed in stored.values():
        if packed is not None:
            counts.update(urls.unpack(packed))
    spilled = [source_id for source_id, (_, packed) in stored.items() if packed is None]
    if spilled:
        here = sa.and_(url_counts.c.window_start == key.window_start, url_counts.c.kind == key.kind)
        rows = sa.select(url_counts.c.url, url_counts.c["count"]).where(url_counts.c.source_id.in_(spilled), here)
        for url, count in connection.execute(rows):
            counts[bytes(url).decode("utf-8")] += count
    return counts
