"""Which agents this worker runs, and how wide."""

from collections.abc import Sequence

import msgspec

from consumers.runtime.agent import Agent
from schemas.errors import ConfigurationError


def chosen(agents: Sequence[Agent], wanted: Sequence[str], concurrency: dict[str, int]) -> list[Agent]:
    """The wanted agents, all of them where none is named, with their concurrency overridden.

    Raises:
        ConfigurationError: naming every unknown agent and every fault of the chosen ones.
    """
    known = {agent.name: agent for agent in agents}
    unknown = sorted((set(wanted) | set(concurrency)) - set(known))
    problems = [f"there is no agent {name!r}; the catalogue has {', '.join(known)}" for name in unknown]
    picked = [
        msgspec.structs.replace(agent, concurrency=concurrency.get(agent.name, agent.concurrency))
        for agent in agents
        if not wanted or agent.name in wanted
    ]
    problems += [problem for agent in picked for problem in agent.problems()]
    if problems:
        raise ConfigurationError(problems)
    return picked


def parse_concurrency(text: str) -> dict[str, int]:
    """`images=4,text=2` as a mapping.

    Raises:
        ConfigurationError: naming every part that is not of this form.
    """
    parts = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    wrong = [
        f"--concurrency {name}={number}: agent=number is needed" for name, _, number in parts if not number.isdecimal()
    ]
    if wrong:
        raise ConfigurationError(wrong)
    return {name: int(number) for name, _, number in parts}
