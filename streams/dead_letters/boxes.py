"""The dead-letter topics of some agents: finding letters in them, and fetching the chosen ones whole."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from confluent_kafka import KafkaException, Message

from consumers.runtime.broker_view import open_admin
from producers.errors import UnknownTopicError
from schemas.errors import HeadraceError, TimedOutError
from schemas.names import DEAD_LETTERS_TOPIC
from schemas.settings import Settings
from streams.dead_letters.letters import Letter, LetterId, letter_of
from streams.dead_letters.query import Query
from streams.dead_letters.states import Recorded, State, States
from streams.positions import END, START, Position
from streams.topic_reader import TopicReader

_TIMEOUT_S = 10.0


class NoSuchLetterError(HeadraceError):
    """Raised when a letter that was named is in no dead-letter topic."""

    exit_code = 2


class Filed(NamedTuple):
    """A letter, and what was done with it; `recorded` is None where nothing was, or where it came back since."""

    letter: Letter
    state: State
    recorded: Recorded | None


class Boxes:
    """A context manager that reads the dead-letter topics of some agents, as they stand when it is opened.

    Args:
        settings: where the broker is.
        agents: their names.

    Raises:
        UnknownTopicError: naming every topic that is missing, `headrace.dead-letters` too.
        TimedOutError: if the broker does not answer in time.
    """

    def __init__(self, settings: Settings, agents: Iterable[str]) -> None:
        self._settings = settings
        self._agents = sorted(agents)
        self._readers: dict[str, TopicReader] = {}
        names = settings.names
        topics = [names.dead_letter(agent) for agent in self._agents]
        require_topics(settings, [*topics, names.topic(DEAD_LETTERS_TOPIC)])
        self.states = States.read(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: type[BaseException] | BaseException | TracebackType | None) -> None:
        for reader in self._readers.values():
            reader.close()

    def search(self, query: Query) -> list[Filed]:
        """The letters that a query means but for their state, by agent and origin; of each id the latest."""
        start = START if query.since_ms is None else Position("time", query.since_ms)
        return self._filed(letter for letter in self._latest(self._agents, start) if query.matches(letter))

    def named(self, ids: Collection[LetterId]) -> list[Filed]:
        """The letters of these ids.

        Raises:
            NoSuchLetterError: naming those that are not there.
        """
        wanted = set(ids)
        found = self._filed(
            letter for letter in self._latest({each.agent for each in ids}, START) if letter.id in wanted
        )
        if missing := wanted - {filed.letter.id for filed in found}:
            named = ", ".join(map(str, sorted(missing)))
            raise NoSuchLetterError(
                f"no dead letter {named}; headrace dlq ls --each -q state:all lists those there are"
            )
        return found

    def fetch(self, letters: Iterable[Letter]) -> Iterator[tuple[Letter, Message]]:
        """The letters with their records, in the order of the topics; one that was deleted since is left out."""
        by_agent: dict[str, dict[tuple[int, int], Letter]] = defaultdict(dict)
        for letter in letters:
            by_agent[letter.id.agent][letter.place] = letter
        for agent, wanted in sorted(by_agent.items()):
            for message in self._reader(agent).read(*_span(wanted)):
                place = message.partition() or 0, message.offset() or 0
                if place in wanted:
                    yield wanted[place], message

    def _latest(self, agents: Iterable[str], start: Position) -> Iterable[Letter]:
        latest: dict[LetterId, Letter] = {}
        for agent in sorted(agents):
            reader = self._reader(agent)
            for message in reader.read(reader.offsets(start), reader.offsets(END)):
                letter = letter_of(message, agent=agent, names=self._settings.names)
                if letter.id not in latest or letter.is_later_than(latest[letter.id]):
                    latest[letter.id] = letter
        return latest.values()

    def _filed(self, letters: Iterable[Letter]) -> list[Filed]:
        filed = []
        for letter in sorted(letters, key=lambda letter: letter.id):
            state = self.states.of(letter)
            filed.append(Filed(letter, state, None if state == "open" else self.states.recorded(letter.id)))
        return filed

    def _reader(self, agent: str) -> TopicReader:
        if agent not in self._readers:
            self._readers[agent] = TopicReader(self._settings, self._settings.names.dead_letter(agent))
        return self._readers[agent]


def require_topics(settings: Settings, topics: Sequence[str]) -> None:
    """See that the broker has these topics, by the names it knows them by.

    Raises:
        UnknownTopicError: naming every one that is missing.
        TimedOutError: if the broker does not answer in time.
    """
    try:
        known = open_admin(settings).list_topics(timeout=_TIMEOUT_S).topics
    except KafkaException as error:
        raise TimedOutError(f"the broker does not list its topics: {error.args[0].str()}") from error
    if missing := [topic for topic in dict.fromkeys(topics) if topic not in known]:
        bare = settings.names.bare(missing[0])
        raise UnknownTopicError(
            f"the broker has no topic {', '.join(missing)}; create what is missing with: headrace init", topic=bare
        )


def _span(places: Iterable[tuple[int, int]]) -> tuple[dict[int, int], dict[int, int]]:
    """From where to where all these places lie, by partition."""
    start: dict[int, int] = {}
    end: dict[int, int] = {}
    for partition, offset in places:
        start[partition] = min(offset, start.get(partition, offset))
        end[partition] = max(offset + 1, end.get(partition, 0))
    return start, end
