"""What a run is made of, before anything runs: a seed says all of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.kit import open_kit
from schemas.errors import DecodeError
from schemas.settings import Settings
from tests.chaos.faults import FAULTS
from tests.chaos.load import tasks
from tests.chaos.mutations import MUTATIONS
from tests.chaos.options import Options, options_of, parser
from tests.chaos.poisons import POISONS
from tests.chaos.prove import run_of
from tests.chaos.records import Task
from tests.chaos.schedule import gates, schedule

MIX = (("kill", 5), ("poison", 0), ("errors", 0), ("stop", 2))


@pytest.fixture(scope="module")
def codec():
    return open_kit(Settings(catalogue="tests.chaos.agents")).codec


def test_the_same_seed_gives_the_same_strikes_and_the_same_load(codec):
    options = Options(seed=3, messages=200, faults=MIX)
    assert schedule(options) == schedule(options)
    assert schedule(options) != schedule(replace(options, seed=4))
    first, second = ([sent for sent, _ in tasks(options, codec, topic="t")] for _ in range(2))
    assert [(s.key, s.sequence, s.wish, s.poison, s.digest) for s in first] == [
        (s.key, s.sequence, s.wish, s.poison, s.digest) for s in second
    ]


@given(st.integers(0, 10_000), st.integers(100, 100_000), st.integers(1, 100))
def test_strikes_come_in_order_and_the_load_always_reaches_the_next(seed, messages, kills):
    strikes = schedule(Options(seed=seed, messages=messages, faults=(("kill", kills),)))
    positions = [strike.at for strike in strikes]
    allowed = gates(strikes, messages, ahead=1_000)
    assert positions == sorted(positions)
    assert len(positions) == kills
    assert all(at <= gate <= messages for at, gate in zip(positions, allowed, strict=False))
    assert allowed[-1] == messages


@pytest.mark.parametrize("kind", sorted(POISONS))
def test_no_agent_can_decode_a_poison(codec, kind):
    options = Options(messages=300, faults=(("poison", 0),))
    values = [value for sent, value in tasks(replace(options, messages=6_000), codec, topic="t") if sent.poison == kind]
    assert values
    for value in values:
        with pytest.raises(DecodeError):
            codec.decode(value, Task)


def test_a_command_line_repeats_the_run_that_says_it():
    faults = (("kill", 4), ("poison", 0))
    options = Options(seed=9, messages=5_000, faults=faults, workers=2, mutation="lane-by-random", redrive=True)
    words = options.command.split()[3:]
    assert options_of(parser().parse_args(words)) == options


def test_an_unknown_fault_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="there are kill"):
        options_of(parser().parse_args(["--fault", "earthquake"]))


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_mutation_says_why_and_how_it_is_exposed(name):
    mutation = MUTATIONS[name]
    assert mutation.why.endswith(".")
    assert mutation.breaks.startswith("I")
    assert run_of(mutation.arguments).messages <= 6_000
    assert run_of(mutation.arguments).names <= FAULTS.keys()
