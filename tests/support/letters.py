"""Dead letters as the runtime writes them, and what becomes of them afterwards."""

import json
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Message, Producer

from schemas.settings import Settings
from tests.support.topics import read_all

NOW_MS = 1_795_341_600_000


@dataclass
class Dead:
    """A letter to be written: what a test says of it. `headers` are those of its origin."""

    offset: int
    key: bytes | None = b"k"
    value: bytes | None = b"v"
    topic: str = "texts.posted"
    partition: int = 0
    agent: str = "text"
    error: str = "KeyError"
    message: str = "no article"
    last_ms: int = NOW_MS
    redrives: int | None = None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)

    def story(self, prefix: str) -> list[tuple[str, bytes]]:
        facts: dict[str, object] = {
            "headrace-agent": self.agent,
            "headrace-origin-topic": prefix + self.topic,
            "headrace-origin-partition": self.partition,
            "headrace-origin-offset": self.offset,
            "headrace-origin-timestamp-ms": self.last_ms - 10,
            "headrace-attempts": 4,
            "headrace-first-failure-ms": self.last_ms - 5,
            "headrace-last-failure-ms": self.last_ms,
            "headrace-error-class": self.error,
            "headrace-error-message": self.message,
            "headrace-error-traceback": "Traceback (most recent call last):\n  boom",
        }
        again = {} if self.redrives is None else {"headrace-redrives": self.redrives}
        return [(name, str(fact).encode()) for name, fact in (again | facts).items()]


class Morgue:
    """The dead-letter and retry topics of the built-in agents, under the test's prefix."""

    AGENTS = ("analytics", "images", "overview", "text")

    def __init__(self, settings: Settings, make_topic: Any, **of_retry: object) -> None:
        self.settings = settings
        for agent in self.AGENTS:
            make_topic(f"{agent}.dlq", partitions=1)
        make_topic("text.retry.0s", partitions=4, **of_retry)
        make_topic("images.retry.0s", partitions=4)
        make_topic("headrace.dead-letters", partitions=1, cleanup_policy="compact")

    def write(self, *letters: Dead) -> None:
        """Put letters into their agents' dead-letter topics, in this order."""
        producer = Producer({"bootstrap.servers": self.settings.bootstrap_servers, "linger.ms": 5})
        for dead in letters:
            headers = [*dead.headers, *dead.story(self.settings.prefix)]
            topic = f"{self.settings.prefix}{dead.agent}.dlq"
            producer.produce(topic, dead.value, key=dead.key, headers=headers, timestamp=dead.last_ms)
        assert producer.flush(20) == 0

    def read(self, topic: str) -> list[Message]:
        """What stands in a topic, by its name without the prefix."""
        return read_all(self.settings.bootstrap_servers, self.settings.prefix + topic)

    def states(self) -> dict[str, dict[str, Any]]:
        """What is recorded of each letter, by its id."""
        found = self.read("headrace.dead-letters")
        return {(message.key() or b"").decode(): json.loads(message.value() or b"null") for message in found}


def offsets(messages: list[Message]) -> list[int]:
    """The origin's offset of each record of a retry topic."""
    return [int(dict(message.headers() or [])["headrace-origin-offset"]) for message in messages]
