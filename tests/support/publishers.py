"""The publishers that keep one contract, opened by name; the asynchronous one through event loops."""

import asyncio
from types import TracebackType
from typing import Any, Self

from producers import AsyncPublisher, BulkReceipt, MemoryPublisher, Publisher, Receipt
from schemas.catalogue import Catalogue
from schemas.settings import Settings

KINDS = ("kafka", "memory", "asyncio")


class Synchronous:
    """An AsyncPublisher behind the synchronous interface: every call runs in an event loop of its own."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = AsyncPublisher(publisher)

    def publish(self, *args: Any, **options: Any) -> Receipt:
        return asyncio.run(self._publisher.publish(*args, **options))

    def publish_many(self, *args: Any, **options: Any) -> list[Receipt]:
        return asyncio.run(self._publisher.publish_many(*args, **options))

    def publish_all(self, *args: Any, **options: Any) -> BulkReceipt | None:
        return asyncio.run(self._publisher.publish_all(*args, **options))

    def flush(self, timeout_s: float = 30.0) -> None:
        asyncio.run(self._publisher.flush(timeout_s))

    def close(self, timeout_s: float = 30.0) -> None:
        asyncio.run(self._publisher.close(timeout_s))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run(self._publisher.__aexit__(kind, raised, trace))


def open_publisher(kind: str, settings: Settings, catalogue: Catalogue | None = None, **options: Any) -> Any:
    """One of KINDS."""
    if kind == "memory":
        return MemoryPublisher(settings, catalogue, **options)
    publisher = Publisher(settings, catalogue, **options)
    return publisher if kind == "kafka" else Synchronous(publisher)
