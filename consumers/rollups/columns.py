"""From a batch's columns to the events of each window and kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt

from consumers.rollups import distinct, urls
from consumers.rollups.buckets import Integers
from consumers.rollups.rows import Key
from consumers.rollups.summary import WINDOW_US, Events
from schemas.records import ActivityKind

if TYPE_CHECKING:
    import polars as pl

KINDS: tuple[str, ...] = get_args(ActivityKind)


@dataclass(frozen=True, slots=True)
class Columns:
    """A batch's columns, as far as numbers go.

    Attributes:
        occurred_us: when each happened, in microseconds since the epoch.
        durations_ms: how long each took.
        groups: for each, its window's number and its kind's, as one number.
    """

    frame: "pl.DataFrame"
    occurred_us: Integers
    durations_ms: Integers
    groups: Integers

    @classmethod
    def of(cls, frame: "pl.DataFrame") -> "Columns":
        """The columns of a frame of ActivityRecorded."""
        import polars as pl

        occurred_us = frame["occurred_at"].to_numpy()
        kinds = frame["kind"].cast(pl.Enum(KINDS)).to_physical().to_numpy()
        groups = occurred_us // WINDOW_US * len(KINDS) + kinds
        return cls(frame, occurred_us, frame["duration_ms"].to_numpy().astype(np.int64), groups)

    def events(self, chosen: npt.NDArray[np.bool_]) -> Mapping[Key, Events]:
        """The chosen events by window and kind."""
        order = np.argsort(self.groups, kind="stable")
        order = order[chosen[order]]
        if not len(order):
            return {}
        groups, starts = np.unique(self.groups[order], return_index=True)
        durations = self.durations_ms[order]
        users = distinct.hasher().hashes_of(self.frame["user_id"])[order]
        pages = self._urls(order)
        ends = [*starts[1:].tolist(), len(order)]
        return {
            _key(group): Events(durations[start:end], users[start:end], *pages[group])
            for group, start, end in zip(groups.tolist(), starts.tolist(), ends, strict=True)
        }

    def _urls(self, chosen: Integers) -> Mapping[int, tuple[Sequence[str], Sequence[int]]]:
        """Of each group the urls of the chosen events, and how often each occurs; counted without Python's lock."""
        import polars as pl

        visits = pl.DataFrame({"group": self.groups[chosen], "url": self.frame["url"][chosen]})
        counted = visits.lazy().group_by("group", "url").len().group_by("group").agg("url", "len").collect()
        return {group: (urls.shortened(pages), counts) for group, pages, counts in counted.iter_rows()}

    def counts(self, chosen: npt.NDArray[np.bool_]) -> Mapping[Key, int]:
        """How many of the chosen events each window and kind has."""
        groups, counts = np.unique(self.groups[chosen], return_counts=True)
        return {_key(group): count for group, count in zip(groups.tolist(), counts.tolist(), strict=True)}


def _key(group: int) -> Key:
    window, kind = divmod(group, len(KINDS))
    return Key(window * WINDOW_US, KINDS[kind])
