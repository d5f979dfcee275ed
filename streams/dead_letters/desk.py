"""All that a command on dead letters stands on, opened from the environment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from consumers.runtime.agent import Agent
from consumers.runtime.kit import open_kit
from producers.kafka import check_broker
from schemas.codec import Codec
from schemas.settings import Settings, from_environment
from streams.dead_letters.boxes import Boxes, Filed, require_topics
from streams.dead_letters.plans import Plan
from streams.dead_letters.routes import Route
from streams.dead_letters.selection import Selection
from streams.dead_letters.states import States


@dataclass(frozen=True, slots=True)
class Desk:
    """The letters that are meant, found, and what it takes to do something with them.

    Attributes:
        settings: with the catalogue of the command's choice.
        codec: of the catalogue's schemas.
        agents: whose letters may be meant, by name.
        boxes: open.
        filed: what was found: see `Selection.find`.
    """

    settings: Settings
    codec: Codec
    agents: dict[str, Agent]
    boxes: Boxes
    filed: list[Filed]

    def routes(self, *, to_origin: bool) -> dict[str, Route]:
        """The ways of each agent's letters."""
        names = self.settings.names
        return {
            name: Route(names, names.retry(name, agent.retry_delays_s[0]), to_origin, frozenset(agent.topics))
            for name, agent in self.agents.items()
        }

    def readers(self, plan: Plan, routes: dict[str, Route]) -> dict[str, list[str]] | None:
        """The consumer groups that read the topics of a plan, after a look whether these exist; None of retry topics.

        Raises:
            UnknownTopicError: naming those that are missing.
        """
        topics = plan.topics(routes)
        require_topics(self.settings, sorted(topics))
        if not any(route.to_origin for route in routes.values()):
            return None
        from streams.dead_letters.audience import audience

        return audience(self.settings, topics)

    def recheck(self, plan: Plan) -> None:
        """Leave out of a plan what somebody else has dealt with since the letters were read, as another run."""
        before, now = self.boxes.states, States.read(self.settings)
        kept = [letter for letter in plan.letters if now.of(letter) == before.of(letter)]
        if len(kept) < len(plan.letters):
            plan.left_out["dealt with by somebody else meanwhile"] = len(plan.letters) - len(kept)
        plan.letters = kept


@contextmanager
def open_desk(selection: Selection, catalogue: str | None) -> Iterator[Desk]:
    """The desk of a selection.

    Args:
        selection: which letters are meant.
        catalogue: a module of the user's own agents; None for the settings' own.

    Raises:
        BrokerUnreachableError: if no broker answers.
        ConfigurationError: if the environment, the catalogue or an agent's name is wrong.
        UnknownTopicError: naming every topic that is missing.
        NoSuchLetterError: naming the ids that are not there.
    """
    settings = from_environment()
    settings = msgspec.structs.replace(settings, catalogue=catalogue or settings.catalogue)
    kit = open_kit(settings)
    agents = selection.agents(kit.catalogue.agents)
    check_broker(settings)
    with Boxes(settings, agents) as boxes:
        yield Desk(settings, kit.codec, agents, boxes, selection.find(boxes))
