"""The proof that the harness can go red: each mutation in its run, and the same run without it, which must be green."""

import json
import shlex
import sys
from dataclasses import replace
from typing import Any

from tests.chaos.mutations import MUTATIONS
from tests.chaos.options import Options, options_of, parser
from tests.chaos.run import brokers, run
from tests.chaos.say import say

_PATIENCE_S = 12.0
"""A mutated run often never ends by itself; what it has broken by then is enough."""


def prove(names: list[str]) -> int:
    """Run them all on one broker; 0 only if each is red where it should be, and green without its mutation."""
    controls: dict[str, dict[str, Any]] = {}
    red = 0
    with brokers(1, proxied=False) as (stack, proxies):
        for name in names:
            arguments = MUTATIONS[name].arguments
            if arguments not in controls:
                say(f"control: {arguments}")
                controls[arguments] = run(run_of(arguments), stack, proxies)
                if controls[arguments]["violations"]:
                    say(f"the control is red: {controls[arguments]['violations']}")
            say(f"mutation {name}: {arguments}")
            mutated = replace(run_of(arguments), mutation=name, patience_s=_PATIENCE_S)
            red += _row(name, run(mutated, stack, proxies), controls[arguments])
    sys.stdout.write(json.dumps({"mutations": len(names), "red": red}) + "\n")
    return 0 if red == len(names) else 1


def run_of(arguments: str) -> Options:
    """The options of a mutation's run."""
    return options_of(parser().parse_args(shlex.split(arguments)))


def is_red(name: str, result: dict[str, Any]) -> bool:
    """Whether the invariant that the mutation breaks was seen to be broken."""
    return MUTATIONS[name].breaks in result["violations"]


def _row(name: str, result: dict[str, Any], control: dict[str, Any]) -> bool:
    """One row of the table; whether the mutation is proven."""
    told = ", ".join(f"{invariant} ({count})" for invariant, (count, *_) in result["violations"].items()) or "nothing"
    green = not control["violations"]
    proven = is_red(name, result) and green
    wanted = MUTATIONS[name].breaks
    without = "" if green else f"; but the control is red too: {', '.join(control['violations'])}"
    sys.stdout.write(f"{'red ' if proven else 'NOT '} {name:30} must break {wanted:4} broke {told}{without}\n")
    sys.stdout.flush()
    return proven
