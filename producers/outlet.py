"""What a publisher stands on."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from producers.answers import OnDelivery


class Outlet(Protocol):
    """`producers.sender.Sender`, or its twin in memory; what each method promises stands there."""

    trouble: str | None

    def send(
        self,
        topic: str,
        value: bytes,
        *,
        key: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
        on_delivery: OnDelivery,
    ) -> None:
        """Queue a record; blocks while the queue is full."""

    def offer(
        self,
        topic: str,
        value: bytes,
        *,
        key: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
        on_delivery: OnDelivery,
    ) -> bool:
        """Queue a record; False where `send` would block."""

    def send_all(
        self,
        topic: str,
        records: Iterable[tuple[bytes | None, bytes | None]],
        *,
        headers: Sequence[tuple[str, bytes | None]],
        on_delivery: OnDelivery,
    ) -> None:
        """Queue records, each a value and a key, as they come."""

    def serve(self) -> None:
        """Hand out the answers that have come in, in the caller's thread; never waits."""

    def topics(self, timeout_s: float) -> Iterable[str]:
        """The names of all topics."""

    def close(self, timeout_s: float) -> None:
        """Flush, and end."""
