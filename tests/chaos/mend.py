"""After the run: the handlers are mended, and an operator redrives every dead letter, while things go wrong all the same."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random

from consumers.runtime.broker_view import BrokerView
from tests.chaos import ledger
from tests.chaos.checker import not_redriven
from tests.chaos.evidence import Evidence, Mended
from tests.chaos.gather import letters_of, redriven_of, rows_of, waiting
from tests.chaos.say import say
from tests.chaos.stage import Stage
from tests.support.commands import headrace
from tests.support.workers import ROOT, environment

_HEADRACE = Path(sys.executable).parent / "headrace"
_LEDGER = "ledger-of-the-mended"
_REDRIVE_S = 4
"""How long the first redrive would take if it were not killed half-way."""
_LIMIT_S = 120.0


def mend(stage: Stage, seen: list[Evidence]) -> tuple[dict[str, int], list[str]]:
    """Mend, redrive and wait; facts, and what breaks I13.

    1. Workers with mended handlers; of an agent whose policy that changes, `headrace init` makes the topics.
    2. A redrive that is killed half-way, and a worker with it; a second redrive to its end.
    3. The last of the redriven is committed; the workers leave.
    """
    (stage.folder / _LEDGER).mkdir()
    stage.crew.environ |= {"CHAOS_MENDED": "1", ledger.VARIABLE: str(stage.folder / _LEDGER)}
    letters = sum(len(of_agent.letters) for of_agent in seen)
    say(f"the handlers are mended: redriving {letters} dead letters")
    made = headrace(stage.direct, "init", "--yes", **stage.crew.environ)
    if made.returncode:
        raise RuntimeError(f"the topics cannot be made: {made.stderr}")
    for _ in range(stage.options.workers):
        stage.crew.start()
    stage.await_ready(stage.options.workers)
    with closing(BrokerView(stage.direct)) as view:
        _redrive_and_kill(stage, view, letters)
        last = _redrive(stage)
        _, complaint = last.communicate(timeout=_LIMIT_S)
        stage.wait(lambda: not any(waiting(stage, view, agent) for agent in stage.options.agents), _LIMIT_S)
        stage.crew.dismiss()
        found = [(of_agent, _mended(stage, view, of_agent)) for of_agent in seen]
    broken = [f"headrace dlq redrive ended with {last.returncode}: {complaint}"] if last.returncode else []
    broken += [f"{of_agent.agent}: {text}" for of_agent, after in found for text in not_redriven(of_agent, after)]
    return _facts(letters, [after for _, after in found]), broken


def _facts(letters: int, found: list[Mended]) -> dict[str, int]:
    return {
        "letters": letters,
        "redriven": sum(len(after.redriven) for after in found),
        "redriven_twice": sum(len(copies) - 1 for after in found for copies in after.redriven.values()),
        "handled": sum(len(set(after.handled)) for after in found),
        "left": sum(len(after.open) + after.letters + after.waiting for after in found),
    }


def _redrive_and_kill(stage: Stage, view: BrokerView, letters: int) -> None:
    """A redrive and a worker, killed when half of the letters are sent."""
    first = _redrive(stage, "--rate", str(max(1, letters // _REDRIVE_S)))
    topics = [stage.direct.names.retry(agent, 0) for agent in stage.options.agents]
    stage.wait(lambda: first.poll() is not None or sum(map(view.records_in, topics)) >= letters // 2, _LIMIT_S)
    first.kill()
    first.communicate()
    victim = stage.victim(Random(stage.options.seed))
    stage.kill(victim)
    stage.crew.start()


def _redrive(stage: Stage, *more: str) -> "subprocess.Popen[str]":
    """`headrace dlq redrive --all`, as an operator would run it."""
    return subprocess.Popen(
        [str(_HEADRACE), "dlq", "redrive", "--all", "--yes", *more],
        env=environment(stage.direct, **stage.crew.environ),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _mended(stage: Stage, view: BrokerView, seen: Evidence) -> Mended:
    if seen.exact:
        handled = [row.number for row in rows_of(stage) if row.number in seen.letters]
    else:
        handled = [handling.number for handling in ledger.read(stage.folder / _LEDGER, seen.agent)]
    query = ["-q", f"agent:{seen.agent}", "-o", "json"]
    still_open = json.loads(headrace(stage.direct, "dlq", "ls", "--each", *query, **stage.crew.environ).stdout)
    before, after = (sum(map(len, letters.values())) for letters in (seen.letters, letters_of(stage, seen.agent)))
    return Mended(
        open=[letter["id"] for letter in still_open],
        redriven=redriven_of(stage, seen.agent),
        handled=handled,
        letters=after - before,
        waiting=sum(waiting(stage, view, seen.agent).values()),
    )
