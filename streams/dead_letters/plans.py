"""What is going to happen to which letters, before it does; pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.dead_letters.boxes import Filed
from streams.dead_letters.letters import Letter
from streams.dead_letters.routes import Route


@dataclass
class Plan:
    """The letters that something will be done with.

    Attributes:
        letters: by agent and origin.
        left_out: how many others, by the reason.
    """

    letters: list[Letter] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def topics(self, routes: Mapping[str, Route]) -> set[str]:
        """Where the letters will go, by the broker's names."""
        return {topic for letter in self.letters if (topic := routes[letter.id.agent].topic_of(letter))}


def plan_redrive(filed: Iterable[Filed], routes: Mapping[str, Route], *, max_redrives: int) -> Plan:
    """Which letters are sent again: not those that are on their way, nor those that came back too often.

    Args:
        filed: the letters that are meant.
        routes: by agent.
        max_redrives: how often one may be sent again.
    """
    plan = Plan()
    for each in filed:
        reason = _why_not(each, routes[each.letter.id.agent], max_redrives)
        if reason is None:
            plan.letters.append(each.letter)
        else:
            plan.left_out[reason] += 1
    return plan


def plan_discard(filed: Iterable[Filed]) -> Plan:
    """Which letters are put aside: the open ones."""
    plan = Plan()
    for each in filed:
        if each.state == "open":
            plan.letters.append(each.letter)
        else:
            plan.left_out[f"{each.state} already"] += 1
    return plan


def rows(
    plan: Plan, routes: Mapping[str, Route] | None = None, readers: Mapping[str, list[str]] | None = None
) -> list[dict[str, Any]]:
    """The plan by agent, error class and destination.

    Args:
        plan: the plan.
        routes: by agent; None where nothing is sent.
        readers: of each topic that is sent to, the consumer groups that read it too; None where only the agent does.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    for letter in plan.letters:
        topic = routes[letter.id.agent].topic_of(letter) if routes else None
        counts[letter.id.agent, letter.error_class, topic or ""] += 1
    found = []
    for (agent, error, topic), count in sorted(counts.items()):
        row: dict[str, Any] = {"agent": agent, "error": error or None, "letters": count}
        if routes:
            row["to"] = topic
        if readers is not None and routes:
            own = routes[agent].names.group(agent)
            row["seen_again_by"] = (
                ", ".join(group for group in readers.get(topic, ()) if group != own) or "no other group"
            )
        found.append(row)
    return found


def _why_not(filed: Filed, route: Route, max_redrives: int) -> str | None:
    if filed.state == "redriven":
        return "redriven already, and not come back"
    if filed.letter.redrives >= max_redrives:
        return f"came back after {max_redrives} or more redrives (--max-redrives)"
    if route.topic_of(filed.letter) is None:
        return "with an origin that their agent does not read: redrive them without --to-origin"
    return None
