"""Which records of a log are dead letters' business: an agent has given up on them there."""

from typing import NamedTuple

from schemas.settings import Settings
from streams.dead_letters.letters import letter_of
from streams.positions import END, START
from streams.topic_reader import TopicReader


class Origin(NamedTuple):
    """Where a record stands in its topic, and when it was written: one of a topic that was made again differs by the time."""

    partition: int
    offset: int
    timestamp_ms: int


class GivenUp:
    """The records of a topic that have a letter of this agent, whatever became of it.

    Args:
        settings: where the broker is.
        agent: its name.
        topic: the topic's name in the catalogue.

    Raises:
        UnknownTopicError: if the agent has no dead-letter topic.
        TimedOutError: if the broker does not answer in time.
    """

    def __init__(self, settings: Settings, agent: str, topic: str) -> None:
        self._agent, self._topic, self._names = agent, topic, settings.names
        self._reader = TopicReader(settings, settings.names.dead_letter(agent))
        self._next = self._reader.offsets(START)
        self._origins: set[Origin] = set()

    def __contains__(self, origin: Origin) -> bool:
        return origin in self._origins

    def catch_up(self) -> None:
        """Read on, to where the dead-letter topic ends now.

        Raises:
            TimedOutError: if the broker does not answer in time.
        """
        self._reader.look_again()
        ends = self._reader.offsets(END)
        for message in self._reader.read(self._next, ends):
            letter = letter_of(message, agent=self._agent, names=self._names)
            if letter.has_origin and letter.id.topic == self._topic:
                self._origins.add(Origin(letter.id.partition, letter.id.offset, letter.origin_ms))
        self._next = ends

    def close(self) -> None:
        """Leave the broker."""
        self._reader.close()
