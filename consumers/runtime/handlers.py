"""The functions that a catalogue names: where they are, and what they take."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

from consumers.runtime.agent import Agent
from schemas.errors import ConfigurationError
from schemas.event import Event

Handler = Callable[..., Any]


def import_function(agent: Agent, path: str) -> Handler:
    """The function named "package.module:function".

    Raises:
        ConfigurationError: when there is none, with the import's own reason.
    """
    module, _, name = path.partition(":")
    try:
        function: Handler = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError([f"agent {agent.name!r}: {path} cannot be imported: {error}"]) from error
    return function


def event_taken_by(handler: Handler, agent: Agent) -> type[Event]:
    """The event class of the handler's first parameter, by its annotation; `Event | None` for tombstones' sake too."""
    hints = get_type_hints(handler)
    hints.pop("return", None)
    first = next(iter(hints.values()), None)
    for candidate in (first, *get_args(first)):
        if isinstance(candidate, type) and issubclass(candidate, Event):
            return candidate
    raise ConfigurationError(
        [f"agent {agent.name!r}: the first parameter of {agent.handler} must be annotated with its event's class"]
    )


def takes_context(handler: Handler) -> bool:
    """Whether it has a second parameter; a handler that asks for no context does not pay for one."""
    return len(inspect.signature(handler).parameters) > 1
