"""The policy "stop": a partition whose commit no longer fits its log stands still, says what is lost, and goes on by an operator's word."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.chaos.say import say
from tests.support.commands import headrace

if TYPE_CHECKING:
    from tests.chaos.evidence import Range
    from tests.chaos.stage import Stage

_RETENTION = re.compile(r"retention passed the commit: offsets (\d+) to (\d+) are lost \((\d+) at most\)")
_MADE_AGAIN = re.compile(
    r"the topic was deleted and made again .*: whatever followed offset (\d+) in the old topic is lost"
)
_PASSING = ("waits: ", "it is being looked up where it starts")
"""How what a partition says begins while it is not known yet whether it stops."""
_LIMIT_S = 60.0


def await_stops(stage: "Stage", deleted: "Mapping[int, Range]") -> None:
    """Wait until every partition has stopped or needs not to; note what the agents call lost, and let them go on.

    Args:
        stage: of the run; what it does not hear breaks I14.
        deleted: what the fault has deleted of each partition. Of an earlier life of the topic, every partition has to stop.
    """
    unheard: list[str] = []

    def heard() -> bool:
        unheard[:] = [
            name for name, part in _partitions(stage) if not _is_clear(stage, part, deleted[part["partition"]])
        ]
        return not unheard

    if not stage.wait(heard, _LIMIT_S):
        stage.unsaid += [f"{name} neither stopped nor went on within {_LIMIT_S:.0f} s" for name in unheard]
    stopped = [(name, part) for name, part in _partitions(stage) if _has_stopped(part)]
    for name, part in stopped:
        _note(stage, name, part, deleted[part["partition"]])
    say(f"{len(stopped)} partitions have stopped; the workers start again with --reset")
    _replace_workers(stage, "--reset", ",".join(f"{agent}=earliest" for agent in stage.options.agents))
    if not stage.wait(lambda: not any(part["stopped"] for _, part in _partitions(stage)), _LIMIT_S):
        stage.unsaid += [f"{name} still stands after --reset" for name, part in _partitions(stage) if part["stopped"]]
    _replace_workers(stage)


def _replace_workers(stage: "Stage", *options: str) -> None:
    stage.crew.dismiss()
    for _ in range(stage.options.workers):
        stage.crew.start(*options)
    stage.await_ready(stage.options.workers)


def _partitions(stage: "Stage") -> list[tuple[str, dict[str, Any]]]:
    """What `headrace status` says of each partition of the load's topic, by "agent partition"; at first there may be no answer."""
    ran = headrace(stage.direct, "status", "--partitions", "-o", "json", **stage.crew.environ)
    rows = json.loads(ran.stdout) if ran.returncode == 0 else []
    mine = [row for row in rows if row["topic"] == stage.topic and row["agent"] in stage.options.agents]
    return [(f"{row['agent']} {row['partition']}", row) for row in mine]


def _is_clear(stage: "Stage", part: Mapping[str, Any], deleted: "Range") -> bool:
    """Whether the partition has stopped, or its commit has passed what was deleted of its present log."""
    if part["stopped"]:
        return _has_stopped(part)
    return deleted[0] == stage.epoch and (part["committed"] or 0) >= deleted[3]


def _has_stopped(part: Mapping[str, Any]) -> bool:
    """Whether it stands still until an operator's word, and not for a moment."""
    return bool(part["stopped"]) and not part["stopped"].startswith(_PASSING)


def _note(stage: "Stage", name: str, part: Mapping[str, Any], deleted: "Range") -> None:
    """Take the agent at its word: what it calls lost is owed no more, and nothing else is."""
    epoch, partition, _, until = deleted
    found = _RETENTION.fullmatch(part["stopped"]) or _MADE_AGAIN.fullmatch(part["stopped"])
    if found is None:
        stage.unsaid.append(f"{name} stopped, and does not say what is lost: {part['stopped']}")
        return
    first, committed = int(found[1]), part["committed"] or 0
    exact = part["agent"] == "rows"  # its stored offset counts, which its commit follows
    wrong = first < committed if exact else first != committed
    if found.re is _RETENTION and (wrong or int(found[2]) != until - 1):
        stage.unsaid.append(f"{name} says {part['stopped']}; {committed} is committed, and {until} comes first now")
    stage.said_lost.setdefault(part["agent"], []).append((epoch, partition, first, until))
