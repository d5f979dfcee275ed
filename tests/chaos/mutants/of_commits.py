"""Mutations of when, and how far, a worker commits, and of how much it takes."""

from typing import Any

from consumers.runtime import commits, membership
from consumers.runtime.assignment import Assignment
from consumers.runtime.flow import Flow
from consumers.runtime.runner import Runner
from consumers.runtime.watermark import Watermark


def commit_the_position() -> None:
    """Commit the highest delivered offset instead of the watermark."""
    _commit(lambda assignment, offset: max(offset, assignment.watermark.highest))


def commit_one_too_far() -> None:
    """Commit one offset more than is finished, as long as it was delivered."""
    _commit(lambda assignment, offset: min(offset + 1, assignment.watermark.highest))


def _commit(offset_of: Any) -> None:
    honest = Assignment.due_commit

    def due_commit(self: Any) -> Any:
        due = honest(self)
        if due is not None:
            due.offset = offset_of(self, due.offset)
        return due

    Assignment.due_commit = due_commit  # type: ignore[method-assign]


def commit_seldom() -> None:
    """Commit every two seconds in place of twenty times a second."""
    commits._INTERVAL_S = 2.0


def drop_the_watermark_guard() -> None:
    """A finished offset moves the commit behind it, whatever is unfinished below."""
    honest = Watermark.finish

    def finish(self: Any, offsets: Any) -> None:
        offsets = list(offsets)
        honest(self, offsets)
        self._committable = max([self._committable, *(offset + 1 for offset in offsets)])

    Watermark.finish = finish  # type: ignore[method-assign]


def call_all_of_it_finished() -> None:
    """Tell in the commit's metadata that whatever lies beyond it is finished, up to the last that is."""
    honest = Watermark.flags_beyond

    def flags_beyond(self: Any) -> bytes:
        return b"\1" * len(honest(self))

    Watermark.flags_beyond = flags_beyond  # type: ignore[method-assign]


def forget_revoke_drain() -> None:
    """Give a revoked partition up at once: nothing is finished, and nothing is committed."""

    def drain(self: Any, _leaving: Any, _limit_s: float) -> bool:
        return True

    def commit_now(self: Any, _consumer: Any, _offsets: Any) -> None:
        return

    Runner._drain = drain  # type: ignore[method-assign]
    membership.Membership._commit_now = commit_now  # type: ignore[method-assign]


def resume_at_once() -> None:
    """A partition that was paused because too much is in hand is resumed at once, and taken from."""

    def holds_back(self: Any, _now_s: float, *, listens: bool) -> bool:
        return False

    Flow.holds_back = holds_back  # type: ignore[method-assign]
    Flow.room = property(lambda self: 1000)  # type: ignore[method-assign,assignment]
