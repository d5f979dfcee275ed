"""From what was seen to the run's one JSON object."""

import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import median
from typing import Any

from tests.chaos import checker
from tests.chaos.evidence import Evidence
from tests.chaos.faults import FAULTS
from tests.chaos.gather import evidence_of, most_in_hand
from tests.chaos.mend import mend
from tests.chaos.stage import Stage
from tests.chaos.workers import LEAVE_WITHIN_S, Crew

_SHOWN = 5
_TERMINATED = -signal.SIGTERM
_STUCK = 70
"""The code of a worker that a handler kept from leaving in time."""


def judge(stage: Stage, *, settled: bool, began_s: float) -> dict[str, Any]:
    """The result of a run; it held if `violations` is empty."""
    if stage.options.load == "activity":
        facts, broken = _activity(stage)
    else:
        facts, broken = _tasks(stage)
    for name, texts in _of_the_workers(stage).items():
        broken[name] += texts
    if not settled:
        broken["I6"].append(f"not everything was committed after {stage.options.patience_s:.0f} s of patience")
    if stage.unstruck:
        broken["I6"].append(f"{stage.unstruck} strikes were not made: the load stood still before them")
    violations = {name: [len(texts), *texts[:_SHOWN]] for name, texts in sorted(broken.items()) if texts}
    leaves = stage.crew.leaves
    return {
        "broker": f"Apache Kafka, {len(stage.stack.brokers)} by devstack",
        "seed": stage.options.seed,
        "sent": len(stage.producer.sent),
        "acked": len(stage.producer.acked),
        **facts,
        "samples": stage.sampler.samples,
        "strikes": dict(Counter(blow.fault for blow in stage.blows)),
        "leaves": {"count": len(leaves), "max_s": max((leave.took_s for leave in leaves), default=0.0)},
        "crashes": len(stage.crew.crashes),
        "orphans": stage.crew.orphans,
        "took_s": round(time.monotonic() - began_s, 1),
        "command": stage.options.command,
        "violations": violations,
    }


def _tasks(stage: Stage) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Facts of the first agent for all to see, of the others beside; the violations of all."""
    broken: dict[str, list[str]] = defaultdict(list)
    by_agent = {}
    clean = not any(FAULTS[name].repeats for name in stage.options.names)
    evidence = evidence_of(stage)
    for seen in evidence:
        for name, texts in checker.violations(seen).items():
            broken[name] += texts
        recoveries = checker.recoveries_s(seen) if seen.ordered else []
        late = [s for s in recoveries if s > stage.options.recovery_s]
        broken["I6"] += [f"{seen.agent}: a partition was not worked on for {s:.1f} s" for s in late]
        if clean:
            broken["I9"] += [f"{seen.agent}: record {number} was repeated" for number in checker.repeated(seen)]
        if stage.options.strict_redo:
            broken["I12"] += [f"{seen.agent}: {text}" for text in checker.redone_too_much(seen)]
        by_agent[seen.agent] = _facts(seen, recoveries)
    for agent, most in most_in_hand(stage).items():
        if most > stage.options.max_in_flight:
            broken["I10"].append(f"{agent}: {most} records were in hand, {stage.options.max_in_flight} are allowed")
    first, *others = stage.options.agents
    broken["I14"] = stage.unsaid
    facts = {**by_agent[first], "agents": {name: by_agent[name] for name in others}}
    if stage.options.redrive:
        facts["redrive"], broken["I13"] = mend(stage, evidence)
    return facts, broken


def _facts(seen: Evidence, recoveries: list[float]) -> dict[str, Any]:
    handled = {handling.number for handling in seen.handlings} - seen.poison
    facts: dict[str, Any] = {
        "handled": len(handled),
        "dead_lettered": len(seen.letters),
        "lost": len(checker.lost(seen)),
        "duplicated": len(checker.repeated(seen)),
        "order_violations": len(checker.out_of_order(seen)),
        "commit_overrun": len(checker.overruns(seen)),
        "redone_beyond_interval": len(checker.redone_beyond_interval(seen)),
        "excused": sum(seen.is_excused(number) for number in seen.places if number not in handled),
    }
    if recoveries:
        facts["recovery_s"] = _recovery(recoveries)
    return facts


def _recovery(recoveries: list[float]) -> dict[str, float]:
    return {"p50": round(median(recoveries), 2), "max": round(max(recoveries), 2)} if recoveries else {}


def _activity(stage: Stage) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """I7, and with it I1, I3 and I5: rows that are byte-equal to a recomputation lack nothing and hold nothing twice.

    I4 of an exact agent asks that no commit is beyond what its transactions have stored, I6 when they go on after a kill.
    Order by key is no promise of it: windows are.
    """
    from consumers.runtime.kit import open_kit
    from tests.chaos.activity import recomputed

    facts, wrong = recomputed(stage, open_kit(stage.direct).codec)
    handled = facts["counted"] + facts["dropped"]
    lost = max(0, facts["in_log"] - handled)
    shown: dict[str, Any] = {
        "handled": handled,
        "dead_lettered": 0,
        "lost": lost,
        "duplicated": max(0, handled - facts["in_log"]),
    }
    ahead = stage.stored.ahead if stage.stored else []
    kills_ns = [blow.at_ns for blow in stage.blows if blow.fault in checker.KILLS]
    recoveries = stage.stored.recoveries_s(kills_ns) if stage.stored else []
    late = [f"a partition was not worked on for {s:.1f} s" for s in recoveries if s > stage.options.recovery_s]
    shown |= {"commit_overrun": len(ahead), "recovery_s": _recovery(recoveries)}
    return {**shown, "analytics": facts}, defaultdict(list, {"I4": ahead, "I6": late, "I7": wrong})


def _of_the_workers(stage: Stage) -> dict[str, list[str]]:
    """I9: who is told to leave does so in order and in time. I11: nobody ends by himself."""
    crew: Crew = stage.crew
    allowed = {0, _STUCK} if any(FAULTS[name].sticks for name in stage.options.names) else {0}
    bad = [
        f"worker {leave.pid} left with code {leave.code} after {leave.took_s} s"
        for leave in crew.leaves
        if leave.code not in (allowed if leave.was_ready else {*allowed, _TERMINATED}) or leave.took_s > LEAVE_WITHIN_S
    ]
    crashed = [
        f"worker {crash.pid} ended by itself with code {crash.code}: {_last(crash.log_end)}" for crash in crew.crashes
    ]
    return {"I9": bad, "I11": crashed}


def _last(text: str) -> str:
    return " | ".join(_tail(text.strip().splitlines(), 3))


def _tail(lines: Iterable[str], count: int) -> list[str]:
    return list(lines)[-count:]
