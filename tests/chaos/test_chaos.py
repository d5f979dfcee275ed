"""A short run of the harness, and the proof that it can go red: the long ones are behind `make chaos`."""

from dataclasses import replace

import pytest

from tests.chaos.mutations import MUTATIONS
from tests.chaos.options import Options
from tests.chaos.prove import is_red, run_of
from tests.chaos.run import brokers, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def stack():
    """A broker of the harness's own, for all runs of this file."""
    with brokers(1, proxied=False) as (stack, _):
        yield stack


def test_nothing_is_lost_while_workers_are_killed_and_a_redrive_leaves_no_dead_letter(stack):
    faults = (("kill", 2), ("kill-at-letters", 2), ("poison", 0), ("errors", 0))
    result = run(Options(messages=5_000, faults=faults, redrive=True, strict_redo=True), stack, None)
    assert result["violations"] == {}, result
    assert result["strikes"]["kill"] == 3
    assert result["strikes"]["kill-at-letters"] in {1, 2}  # the second finds no poison more where the first took long
    assert result["handled"] + result["dead_lettered"] == 5_000
    assert result["dead_lettered"] > 40
    assert result["redrive"]["handled"] == result["redrive"]["letters"] > 80
    assert result["samples"] > 50


@pytest.mark.parametrize("name", ["drop-the-watermark-guard", "swallow-poison", "two-transactions"])
def test_a_fault_in_the_runtime_turns_its_invariant_red(stack, name):
    short = replace(run_of(MUTATIONS[name].arguments), mutation=name, patience_s=8.0)
    result = run(short, stack, None)
    assert is_red(name, result), result
