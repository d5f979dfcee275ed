"""What is kept of one window and kind: a pure function of the set of its events."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import msgspec
import numpy as np

from consumers.rollups import buckets, distinct
from consumers.rollups.buckets import Integers

WINDOW_US = 60 * 1_000_000
"""A tumbling window: one minute of event time."""


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one window and kind.

    Attributes:
        durations_ms: of each.
        users: a hash of the user of each.
        urls: those that occur, as they are counted.
        url_counts: how often each of those occurs.
    """

    durations_ms: Integers
    users: distinct.Hashes
    urls: Sequence[str]
    url_counts: Sequence[int]


class Summary(msgspec.Struct, frozen=True, gc=False):
    """Counts that add up, extremes, and the two sketches; urls are counted beside it.

    Attributes:
        count: events counted.
        dropped: events that came too late to be counted.
        duration_sum_ms: in milliseconds.
        duration_min_ms: in milliseconds; None without events.
        duration_max_ms: in milliseconds; None without events.
        durations: a state of `buckets`, in milliseconds.
        users: a state of `distinct`.
    """

    count: int = 0
    dropped: int = 0
    duration_sum_ms: int = 0
    duration_min_ms: int | None = None
    duration_max_ms: int | None = None
    durations: bytes = b""
    users: bytes = b""

    def with_events(self, events: Events) -> "Summary":
        """This and these events, of which there is at least one."""
        shortest, longest = int(events.durations_ms.min()), int(events.durations_ms.max())
        return Summary(
            count=self.count + len(events.durations_ms),
            dropped=self.dropped,
            duration_sum_ms=self.duration_sum_ms + int(np.sum(events.durations_ms)),
            duration_min_ms=shortest if self.duration_min_ms is None else min(self.duration_min_ms, shortest),
            duration_max_ms=longest if self.duration_max_ms is None else max(self.duration_max_ms, longest),
            durations=buckets.add(self.durations, events.durations_ms),
            users=distinct.add(self.users, events.users),
        )

    def with_dropped(self, dropped: int) -> "Summary":
        """This, and so many events that came too late."""
        return msgspec.structs.replace(self, dropped=self.dropped + dropped)


def merged(summaries: Sequence[Summary]) -> Summary:
    """One summary for the events of all of them: the partitions' rows, when they are read."""
    counted = [summary for summary in summaries if summary.count]
    return Summary(
        count=sum(summary.count for summary in counted),
        dropped=sum(summary.dropped for summary in summaries),
        duration_sum_ms=sum(summary.duration_sum_ms for summary in counted),
        duration_min_ms=reduce(_least, (summary.duration_min_ms for summary in counted), None),
        duration_max_ms=max((summary.duration_max_ms or 0 for summary in counted), default=None),
        durations=buckets.merge(summary.durations for summary in counted),
        users=distinct.merge(summary.users for summary in counted),
    )


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)
