"""Mutations of the order by key."""

import random
from typing import Any

from consumers.runtime.chunk import Chunk
from consumers.runtime.lanes import Lanes


def lane_by_random() -> None:
    """Any lane for any key: two records of one key run side by side."""

    def lanes_of(self: Any, keys: list[Any]) -> list[int]:
        return [0 if self._whole else random.randrange(len(self._queues)) for _ in keys]

    Lanes._lanes_of = lanes_of  # type: ignore[method-assign]


def overtake_a_retry() -> None:
    """A failed record waits alone: the later ones of its key go on without it."""
    honest = Lanes.park

    def finish(self: Any, index: int, outcome: Any) -> None:
        self.outcomes[index] = outcome

    def key_of(self: Any, record: Any) -> Any:
        return "partition" if self._whole else record.offset

    Chunk.finish = finish  # type: ignore[method-assign]
    Lanes.key_of = key_of  # type: ignore[method-assign]
    Lanes.park = honest  # type: ignore[method-assign]


def forget_a_retry() -> None:
    """A key whose next attempt is due is not woken."""
    Lanes.wake = lambda self, now_s: None  # type: ignore[method-assign]
