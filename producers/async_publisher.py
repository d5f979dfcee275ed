"""The publisher's twin for asyncio: it never blocks the event loop."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from producers.bulk import BulkReceipt
from producers.outgoing import Headers, Key
from producers.publisher import FLUSH_TIMEOUT_S, E, KeyOf, Publisher
from producers.receipt import Receipt
from schemas.event import Event


class AsyncPublisher:
    """Publishes typed events from an event loop; receipts are awaited: `receipt = await publisher.publish(event)`, `await receipt`.

    What may take long (the first event of a kind asks broker and registry, a full queue waits, a flush waits) runs in a
    thread; every other event is queued at once, which takes microseconds.

    Args:
        publisher: any `Publisher`; this object closes it.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def publish(
        self, event: Event, *, topic: str | None = None, key: Key = None, headers: Headers = ()
    ) -> Receipt:
        """Queue an event; arguments and errors as for `Publisher.publish`."""
        prepare = self._publisher.prepare
        if self._publisher.is_warm(type(event), topic):
            outgoing = prepare(event, topic=topic, key=key, headers=headers)
        else:
            outgoing = await asyncio.to_thread(prepare, event, topic=topic, key=key, headers=headers)
        receipt = self._publisher.offer(outgoing)
        return receipt if receipt is not None else await asyncio.to_thread(self._publisher.send, outgoing)

    async def publish_many(
        self, events: Iterable[E], *, topic: str | None = None, key: KeyOf[E] | None = None, headers: Headers = ()
    ) -> list[Receipt]:
        """Queue events in their order; arguments and errors as for `Publisher.publish_many`."""
        return await asyncio.to_thread(
            self._publisher.publish_many, list(events), topic=topic, key=key, headers=headers
        )

    async def publish_all(
        self, events: Iterable[E], *, topic: str | None = None, key: KeyOf[E] | None = None, headers: Headers = ()
    ) -> BulkReceipt | None:
        """Queue events as they come, in a thread, which takes them from `events` too; as for `Publisher.publish_all`."""
        return await asyncio.to_thread(self._publisher.publish_all, events, topic=topic, key=key, headers=headers)

    async def flush(self, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Wait for the broker's answers; errors as for `Publisher.flush`."""
        await asyncio.to_thread(self._publisher.flush, timeout_s)

    async def close(self, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Flush, and end; errors as for `Publisher.close`."""
        await asyncio.to_thread(self._publisher.close, timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._publisher.__exit__, kind, raised, trace)
