"""What every agent's work of one process stands on, opened from the settings."""

from typing import TYPE_CHECKING

from consumers.context import Resources
from consumers.runtime.agent import Agent, Executor
from consumers.runtime.handlers import event_taken_by, import_function
from consumers.runtime.together import Together
from consumers.runtime.work import Kit
from schemas.catalogue import load_catalogue
from schemas.codec import Codec
from schemas.settings import Settings

if TYPE_CHECKING:
    from consumers.runtime.state import State


def open_kit(settings: Settings) -> Kit:
    """The catalogue, the codec and the shared resources.

    Raises:
        ConfigurationError: naming everything that is wrong with the catalogue.
    """
    catalogue = load_catalogue(settings.catalogue)
    registry = None
    if settings.registry_url:
        from schemas.registry import Registry

        registry = Registry(settings.registry_url)
    codec = Codec(catalogue.schemas, registry=registry, names=settings.names)
    return Kit(settings, catalogue, codec, Resources(settings.store_url))


def open_state(agent: Agent, kit: Kit) -> "State | None":
    """The exact state of an agent that has one, in the database of the settings.

    Raises:
        Unavailable: when the database is.
    """
    if not agent.exact:
        return None
    from consumers.runtime.state import State

    return State(kit.settings.database_url, group=kit.settings.names.group(agent.name))


def open_together(agent: Agent, kit: Kit) -> Together | None:
    """What the agent's thread decodes with, for coroutines: their loop has enough to do. All else decodes where it handles.

    Raises:
        ConfigurationError: when the handler cannot be imported, or does not say which event it takes.
    """
    if agent.executor is not Executor.ASYNCIO:
        return None
    return Together(kit.codec, event_taken_by(import_function(agent, agent.handler), agent))


def open_trial(agent: Agent, kit: Kit) -> "State | None":
    """The same, of whose transactions nothing is kept."""
    if not agent.exact:
        return None
    from consumers.runtime.state import Trial

    return Trial(kit.settings.database_url, group=kit.settings.names.group(agent.name))
