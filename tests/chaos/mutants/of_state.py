"""Mutations of exact state, of assignments and of where a partition starts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from consumers.database import Source, marked, offsets
from consumers.errors import FencedError
from consumers.runtime import batch_work, starts, state
from consumers.runtime import offsets as consumers_offsets
from consumers.runtime.dispatch import Dispatch
from consumers.runtime.membership import Membership
from consumers.runtime.runner import Runner
from consumers.runtime.settlement import Settlement
from consumers.runtime.state import State

_BETWEEN_S = 0.5
"""Most of an exact agent's time under load, so that a kill that meets one falls into it."""
_BEFORE_S = 0.3


def two_transactions() -> None:
    """Write the rows in one transaction, and the offset that they cover in another."""

    @contextmanager
    def transaction(self: Any, position: Any, *, expected: int, following: int) -> Iterator[Any]:
        row = sa.select(offsets.c.source_id, offsets.c.next_offset).where(state._OF_POSITION)
        with self._database.transaction() as connection:
            found = connection.execute(row, self._names(position)).one()
            if found.next_offset != expected:
                raise FencedError("another writer has this partition")
            source = Source(found.source_id, self._group, position.topic_id, position.topic, position.partition)
            yield marked(connection, self._group, source)
        time.sleep(_BETWEEN_S)
        with self._database.transaction() as connection:
            if self._move(connection, position, expected, following) is None:
                raise FencedError("another writer has this partition")

    State.transaction = transaction  # type: ignore[method-assign,assignment]


def say_nothing_of_the_lost() -> None:
    """Stop where a commit fits its log no more, and do not say what is lost."""
    honest = consumers_offsets.misfit_of

    def misfit_of(committed: Any, log: Any) -> Any:
        return honest(committed, log) and "the commit fits no more"

    consumers_offsets.misfit_of = misfit_of


def write_unfenced() -> None:
    """Move the stored offset without comparing it: a writer that lost its partition writes all the same."""
    honest, honest_transaction = State._move, State.transaction

    @contextmanager
    def transaction(self: Any, position: Any, **offsets_of_it: Any) -> Iterator[Any]:
        time.sleep(_BEFORE_S)  # a writer that is frozen here has chosen what to write, and not begun
        with honest_transaction(self, position, **offsets_of_it) as connection:
            yield connection

    def move(self: Any, connection: Any, position: Any, expected: int, following: int) -> Any:
        found = honest(self, connection, position, expected, following)
        if found is not None:
            return found
        blind = sa.update(offsets).where(state._OF_POSITION).values(next_offset=sa.bindparam("following"))
        values = {**self._names(position), "following": following}
        return connection.execute(blind.returning(offsets.c.source_id), values).scalar_one()

    def keep(self: Any, *error: Any) -> Any:
        swallowed = self._transaction.__exit__(*error)  # also what nobody waits for any more
        if error[0] is None and self._following is not None:
            self._chunk.owner.stored = self._following
        return swallowed

    State.transaction = transaction  # type: ignore[method-assign,assignment]
    State._move = move  # type: ignore[method-assign]
    batch_work._Stored.__exit__ = keep  # type: ignore[method-assign]


def stale_completion() -> None:
    """Apply what comes back from an earlier assignment to the present one of the same partition."""
    honest, runners = Settlement.completed, list[Any]()
    honest_init = Runner.__init__

    def init(self: Any, *given: Any, **named: Any) -> None:
        honest_init(self, *given, **named)
        runners.append(self)

    def completed(self: Any, back: Any) -> None:
        owner = back.chunk.owner
        if not owner.alive:
            (runner,) = [runner for runner in runners if runner._settlement is self]
            current = runner.membership.assignments.get(owner.place)
            if current is not None:
                back.chunk.owner = current
        honest(self, back)

    def give_up(self: Any, leaving: Any) -> None:
        for assignment in leaving:
            assignment.end_now()  # and what runs of it goes on, and comes back

    Runner.__init__ = init  # type: ignore[method-assign]
    Dispatch.give_up = give_up  # type: ignore[method-assign]
    Settlement.completed = completed  # type: ignore[method-assign]


def reset_to_the_end() -> None:
    """A commit that no longer fits its log leads silently to the log's end."""
    honest = starts.start_of

    def start_of(committed: Any, log: Any, **circumstances: Any) -> Any:
        start = honest(committed, log, **circumstances)
        return replace(start, offset=log.high, stopped=False) if start.misfit else start

    starts.start_of = start_of  # type: ignore[assignment]


def trust_the_old_log() -> None:
    """Take an offset of a topic that was made again for one of the topic that is there now."""
    honest = starts.start_of

    def compare_id(self: Any, _topic: str, _topic_id: str) -> None:
        return

    def start_of(committed: Any, log: Any, **circumstances: Any) -> Any:
        trusted = replace(committed, topic_id=None) if committed else None
        return honest(trusted, log, **circumstances)

    starts.start_of = start_of  # type: ignore[assignment]
    Membership.compare_id = compare_id  # type: ignore[method-assign]
