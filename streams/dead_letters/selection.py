"""Which letters a command is about: named by their ids, or meant by a query."""

from collections.abc import Sequence
from dataclasses import dataclass

from consumers.runtime.agent import Agent
from schemas.errors import ConfigurationError
from streams.dead_letters.boxes import Boxes, Filed
from streams.dead_letters.letters import LetterId, parse_id
from streams.dead_letters.query import Query, parse_query


@dataclass(frozen=True, slots=True)
class Selection:
    """Ids, or a query where there is none."""

    ids: tuple[LetterId, ...]
    query: Query

    def agents(self, known: Sequence[Agent]) -> dict[str, Agent]:
        """The agents whose letters may be meant, by name.

        Raises:
            ConfigurationError: naming those that the catalogue has not.
        """
        by_name = {agent.name: agent for agent in known}
        named = {each.agent for each in self.ids} or set(self.query.agents) or set(by_name)
        if unknown := sorted(named - set(by_name)):
            raise ConfigurationError(
                [f"there is no agent {name!r}; the catalogue has {', '.join(by_name)}" for name in unknown]
            )
        return {name: by_name[name] for name in sorted(named)}

    def find(self, boxes: Boxes) -> list[Filed]:
        """The letters, by id; of a query also those in another state than it wants, for whoever counts them.

        Raises:
            NoSuchLetterError: naming the ids that are not there.
        """
        return boxes.named(self.ids) if self.ids else boxes.search(self.query)

    def wanted(self, filed: Sequence[Filed]) -> list[Filed]:
        """Those of them in a state that is wanted; a letter that is named by its id always is."""
        return [each for each in filed if self.ids or self.query.wants(each.state)]


def select(ids: Sequence[str] = (), query: str | None = None, *, now_ms: int) -> Selection:
    """A selection from a command's arguments; without any, every open letter.

    Raises:
        LetterIdError, QueryError: if one of them is wrong.
    """
    return Selection(tuple(dict.fromkeys(map(parse_id, ids))), parse_query(query or "", now_ms=now_ms))


def select_for_change(ids: Sequence[str], query: str | None, *, every: bool, now_ms: int) -> Selection:
    """The same for a command that changes something: it has to be said which letters are meant, in one way.

    Raises:
        ConfigurationError: if it is said in none, or in two.
        LetterIdError, QueryError: if one of them is wrong.
    """
    if (len(ids) > 0) + (query is not None) + every != 1:
        raise ConfigurationError(
            ["say which letters are meant, in one way: their ids, -q QUERY, or --all that are open"]
        )
    return select(ids, query, now_ms=now_ms)
