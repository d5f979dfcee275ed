"""The demo's input, published as a microservice would."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from consumers.store import ObjectStore
from demo.activity import activities
from demo.images import uploads
from demo.texts import texts
from producers import Publisher
from schemas.event import Event
from schemas.settings import Settings

ACTIVITIES = 200_000


@dataclass(frozen=True, slots=True)
class Published:
    """How many events went to each agent, and how many of them are broken on purpose."""

    events: dict[str, int]
    broken_images: int


def publish(settings: Settings, store: ObjectStore, *, say: Callable[[str], None]) -> Published:
    """Publish everything, and wait until the broker has it all."""
    images = uploads(store)
    posted = texts(store)
    with Publisher(settings) as publisher:
        counts = {
            "images": _send(publisher, "images", [upload.event for upload in images], say),
            "text": _send(publisher, "texts", posted, say),
            "analytics": _send(publisher, "activity events", activities(ACTIVITIES), say),
        }
    return Published(counts, broken_images=sum(upload.broken for upload in images))


def _send(publisher: Publisher, what: str, events: Iterable[Event], say: Callable[[str], None]) -> int:
    made: Sequence[Event] = list(events)
    started_s = time.monotonic()
    publisher.publish_many(made)
    publisher.flush()
    seconds = time.monotonic() - started_s
    say(f"published {len(made):,} {what} in {seconds:.1f} s")
    return len(made)
