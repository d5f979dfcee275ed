"""Where a letter goes when it is sent again, and what the record then looks like; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from confluent_kafka import Message

from schemas import names as wire
from schemas.names import Names
from streams.dead_letters.letters import ORIGIN, Letter, headers_of, own_headers, story_of

_DUE_NOW = b"0"


class Outgoing(NamedTuple):
    """A record to send; `topic` is the broker's name."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Route:
    """The way of an agent's letters: straight to the agent, or to the topics that it reads, where others read too.

    Attributes:
        names: of the cluster.
        retry_topic: the agent's shortest, by the broker's name.
        to_origin: whether they go to their origin's topic instead.
        origins: the topics that the agent reads, without the prefix.
    """

    names: Names
    retry_topic: str
    to_origin: bool = False
    origins: frozenset[str] = frozenset()

    def topic_of(self, letter: Letter) -> str | None:
        """The broker's name of the topic that the letter goes to; None where it has no origin that the agent reads."""
        if not self.to_origin:
            return self.retry_topic
        return self.names.topic(letter.id.topic) if letter.has_origin and letter.id.topic in self.origins else None

    def record_of(self, letter: Letter, message: Message, *, value: bytes | None) -> Outgoing:
        """The record: key and headers as they were at the origin, byte for byte, and what tells that it was sent again.

        Without `headrace-attempts` it begins at the first attempt; in the retry topic it is due at once and keeps its origin.

        Args:
            letter: of a topic that `topic_of` knows.
            message: as it lies in the dead-letter topic.
            value: the message's own, or what an operator made of it.
        """
        headers = headers_of(message)
        own = [*own_headers(headers), *(() if self.to_origin else self._origin(letter, message))]
        own.append((wire.REDRIVES, str(letter.redrives + 1).encode()))
        if not self.to_origin:
            own.append((wire.DUE_MS, _DUE_NOW))
        return Outgoing(self.topic_of(letter) or self.retry_topic, letter.key, value, own)

    def _origin(self, letter: Letter, message: Message) -> list[tuple[str, bytes | None]]:
        """The origin's headers as they stand in the letter; a letter without an origin is its own."""
        if letter.has_origin:
            told = story_of(headers_of(message))
            return [(name, told[name]) for name in ORIGIN if name in told]
        facts = (message.topic(), letter.partition, letter.offset, max(0, message.timestamp()[1]))
        return [(name, str(fact).encode()) for name, fact in zip(ORIGIN, facts, strict=True)]
