"""What a handler is told about its record, beside the event itself."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from schemas.origin import Origin

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consumers.store import ObjectStore

__all__ = ["Context", "Deadline", "Origin", "Resources"]


class Deadline(msgspec.Struct, frozen=True, gc=False):
    """The moment by which the record has to be done.

    Attributes:
        at_s: on the clock of `time.monotonic()`, in seconds; infinity for no deadline.
    """

    at_s: float = float("inf")

    @classmethod
    def after(cls, seconds: float | None) -> "Deadline":
        """The deadline so many seconds from now; None for no deadline."""
        return cls() if seconds is None else cls(time.monotonic() + seconds)

    @property
    def remaining_s(self) -> float:
        """Seconds left; negative when it has passed."""
        return self.at_s - time.monotonic()


class Context(msgspec.Struct, frozen=True):
    """One record's circumstances; the same whichever executor runs the handler.

    Attributes:
        agent: the agent's name.
        attempt: 1 for the first.
        origin: where the record stands; of a batch, where its first record stands.
        deadline: when it has to be done.
        key: the record's key, as on the wire; of a batch, None.
        replay: whether the record is being worked on again by a replay.
        resources: the object store, opened at first use.
        connection: for an agent with exact state, the open transaction that also writes its offsets.
    """

    agent: str = "test"
    attempt: int = 1
    origin: Origin = Origin()
    deadline: Deadline = Deadline()
    key: bytes | None = None
    replay: bool = False
    resources: "Resources | None" = None
    connection: "Connection | None" = None

    @property
    def store(self) -> "ObjectStore":
        """The object store of this process (HEADRACE_STORE_URL)."""
        if self.resources is None:
            raise RuntimeError("this context has no object store: give it resources=Resources(store_url=...)")
        return self.resources.store


@dataclass(slots=True)
class Resources:
    """What handlers of one process share; opened at first use, never sent across a pipe."""

    store_url: str
    _store: "ObjectStore | None" = None

    @property
    def store(self) -> "ObjectStore":
        """The object store, opened at first use."""
        if self._store is None:
            from consumers.store import open_store

            self._store = open_store(self.store_url)
        return self._store
