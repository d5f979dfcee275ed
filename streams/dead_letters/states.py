"""What was done with each dead letter: the compacted topic `headrace.dead-letters`, key = the letter's id, value = JSON."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from schemas.errors import HeadraceError
from schemas.names import DEAD_LETTERS_TOPIC
from schemas.settings import Settings
from streams.dead_letters.letters import Letter, LetterId
from streams.positions import END, START
from streams.topic_reader import TopicReader

State = Literal["open", "redriven", "discarded"]


class StateError(HeadraceError):
    """Raised when a record of headrace.dead-letters cannot be read: to take its letter for open might send it twice."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator did with a letter, last of all.

    Attributes:
        state: redriven or discarded.
        redrives: how often the letter has been sent again, this time included.
        at_ms: when, in milliseconds since the epoch.
        letter_offset: the letter's offset in its agent's dead-letter topic.
        letter_partition: its partition there.
    """

    state: Literal["redriven", "discarded"]
    redrives: int
    at_ms: int
    letter_offset: int
    letter_partition: int = 0


def state_of(letter: Letter, recorded: Recorded | None) -> State:
    """Open, redriven or discarded; pure.

    A letter is open again once its record was given up again after that: it carries as many redrives as were recorded (more,
    after a discard), or it stands behind the letter that the operator saw, as after a group was rewound.
    """
    if recorded is None:
        return "open"
    came_back = letter.redrives - recorded.redrives >= (0 if recorded.state == "redriven" else 1)
    stands_behind = letter.partition == recorded.letter_partition and letter.offset > recorded.letter_offset
    return "open" if came_back or stands_behind else recorded.state


class States:
    """The states of all letters, as they were when the topic was read.

    Args:
        recorded: the topic's latest value of each key, as on the wire.
    """

    def __init__(self, recorded: Mapping[bytes, bytes]) -> None:
        self._recorded = recorded

    @classmethod
    def read(cls, settings: Settings) -> "States":
        """All of them, from the broker; a letter without one is open.

        Raises:
            UnknownTopicError: if the topic is missing.
        """
        reader = TopicReader(settings, settings.names.topic(DEAD_LETTERS_TOPIC))
        latest: dict[bytes, bytes] = {}
        try:
            for message in reader.read(reader.offsets(START), reader.offsets(END)):
                key, value = message.key(), message.value()
                latest[key.encode() if isinstance(key, str) else key or b""] = value or b""
        finally:
            reader.close()
        return cls(latest)

    def recorded(self, letter_id: LetterId) -> Recorded | None:
        """What was recorded of a letter; None for nothing.

        Raises:
            StateError: if that cannot be read.
        """
        value = self._recorded.get(str(letter_id).encode())
        if not value:  # never there, or a tombstone
            return None
        try:
            return msgspec.json.decode(value, type=Recorded)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError(
                f"what {DEAD_LETTERS_TOPIC} says of {letter_id} cannot be read ({error}); is it from a newer Headrace? "
                "A record with that key and no value makes the letter open again"
            ) from error

    def of(self, letter: Letter) -> State:
        """Open, redriven or discarded."""
        return state_of(letter, self.recorded(letter.id))
