"""Which agents this worker runs, and how wide."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import msgspec

from consumers.runtime.agent import Agent
from consumers.runtime.offsets import Policy
from schemas.errors import ConfigurationError


def chosen(agents: Sequence[Agent], wanted: Sequence[str], changes: Mapping[str, Mapping[str, Any]]) -> list[Agent]:
    """The wanted agents, all of them where none is named, with what the command line says of them in place.

    Args:
        agents: of the catalogue.
        wanted: names; empty for all.
        changes: by agent, the attributes to replace.

    Raises:
        ConfigurationError: naming every unknown agent and every fault of the chosen ones.
    """
    known = {agent.name: agent for agent in agents}
    unknown = sorted((set(wanted) | set(changes)) - set(known))
    problems = [f"there is no agent {name!r}; the catalogue has {', '.join(known)}" for name in unknown]
    picked = [
        msgspec.structs.replace(agent, **changes.get(agent.name, {}))
        for agent in agents
        if not wanted or agent.name in wanted
    ]
    problems += [problem for agent in picked for problem in agent.problems()]
    if problems:
        raise ConfigurationError(problems)
    return picked


def parse_changes(*, concurrency: str = "", reset: str = "") -> dict[str, dict[str, Any]]:
    """`images=4,text=2` and `images=earliest` as the attributes that they replace, by agent.

    Raises:
        ConfigurationError: naming every part that is not of this form.
    """
    changes: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for agent, number in _pairs(concurrency):
        changes.setdefault(agent, {})["concurrency"] = int(number) if number.isdecimal() else number
        problems += [] if number.isdecimal() else [f"--concurrency {agent}={number}: agent=number is needed"]
    for agent, policy in _pairs(reset):
        changes.setdefault(agent, {})["reset"] = policy
        known = policy in get_args(Policy)
        problems += [] if known else [f"--reset {agent}={policy}: agent=stop, earliest or latest is needed"]
    if problems:
        raise ConfigurationError(problems)
    return changes


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        if part.strip():
            name, _, value = part.strip().partition("=")
            yield name, value
