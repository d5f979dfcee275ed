"""The publishers that keep one contract, opened by name; the asynchronous one through a loop of its own."""

import asyncio
from types import TracebackType
from typing import Any, Self

from producers import AsyncPublisher, MemoryPublisher, Publisher, Receipt
from schemas.catalogue import Catalogue
from schemas.settings import Settings

KINDS = ("kafka", "memory", "asyncio")


class FromAnotherThread:
    """An AsyncPublisher behind the synchronous interface: every call runs in an event loop."""

    def __init__(self, publisher: Publisher) -> None:
        self._runner = asyncio.Runner()
        self._publisher = AsyncPublisher(publisher)

    def publish(self, *args: Any, **options: Any) -> Receipt:
        return self._runner.run(self._publisher.publish(*args, **options))

    def publish_many(self, *args: Any, **options: Any) -> list[Receipt]:
        return self._runner.run(self._publisher.publish_many(*args, **options))

    def flush(self, timeout_s: float = 30.0) -> None:
        self._runner.run(self._publisher.flush(timeout_s))

    def close(self, timeout_s: float = 30.0) -> None:
        self._runner.run(self._publisher.close(timeout_s))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._runner.run(self._publisher.__aexit__(kind, raised, trace))
        finally:
            self._runner.close()


def open_publisher(kind: str, settings: Settings, catalogue: Catalogue | None = None, **options: Any) -> Any:
    """One of KINDS."""
    if kind == "memory":
        return MemoryPublisher(settings, catalogue, **options)
    publisher = Publisher(settings, catalogue, **options)
    return publisher if kind == "kafka" else FromAnotherThread(publisher)
