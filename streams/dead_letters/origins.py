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


def given_up(settings: Settings, agent: str, topic: str) -> set[Origin]:
    """The records of a topic that have a letter of this agent, whatever became of it.

    Args:
        settings: where the broker is.
        agent: its name.
        topic: the topic's name in the catalogue.

    Raises:
        UnknownTopicError: if the agent has no dead-letter topic.
        TimedOutError: if the broker does not answer in time.
    """
    names = settings.names
    reader = TopicReader(settings, names.dead_letter(agent))
    try:
        letters = (
            letter_of(message, agent=agent, names=names)
            for message in reader.read(reader.offsets(START), reader.offsets(END))
        )
        return {
            Origin(letter.id.partition, letter.id.offset, letter.origin_ms)
            for letter in letters
            if letter.has_origin and letter.id.topic == topic
        }
    finally:
        reader.close()
