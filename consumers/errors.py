"""What a handler may raise to say what should become of its record."""

from collections.abc import Mapping

from schemas.errors import HeadraceError


class Retry(HeadraceError):  # noqa: N818  it is a decision, not a mistake
    """Raised when the record should be tried again, after a delay of the handler's choice.

    Args:
        reason: what stood in the way.
        after_s: seconds to wait; None takes the agent's own backoff.
    """

    def __init__(self, reason: str = "", *, after_s: float | None = None) -> None:
        self.after_s = None if after_s is None else max(0.0, after_s)
        super().__init__(reason)


class Reject(HeadraceError):  # noqa: N818
    """Raised when no attempt can ever succeed: the record goes to the dead-letter topic at once, with this reason."""


class Unavailable(HeadraceError):  # noqa: N818
    """Raised when a dependency is down: the record waits, and no attempt is counted.

    Args:
        dependency: its name, such as "object-store".
        reason: what was seen.
    """

    def __init__(self, dependency: str, reason: str = "") -> None:
        self.dependency = dependency
        super().__init__(f"{dependency} is unavailable: {reason}" if reason else f"{dependency} is unavailable")


class RejectSome(Reject):
    """Raised by a batch handler that knows which records can never succeed: they alone go to the dead-letter topic.

    Args:
        reasons: why, by the record's offset; at least one.
    """

    def __init__(self, reasons: Mapping[int, str]) -> None:
        self.reasons = dict(reasons)
        super().__init__("; ".join(f"offset {offset}: {reason}" for offset, reason in self.reasons.items()))

    @property
    def offsets(self) -> tuple[int, ...]:
        """The rejected records' offsets, rising."""
        return tuple(sorted(self.reasons))


class FencedError(HeadraceError):
    """Raised when another writer has moved a partition's stored offset: this one lost it, and nothing was written."""
