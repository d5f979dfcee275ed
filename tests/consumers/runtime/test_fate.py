"""One function decides, and this is what it decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.agent import RetryPolicy
from consumers.runtime.fate import UNKNOWN_SCHEMA_GRACE_S, DeadLetter, Done, TryAgain, decide
from consumers.runtime.record import Failed, Handled

POLICY = RetryPolicy(attempts=3, first_delay_s=1.0, max_delay_s=4.0, jitter=0.5, permanent=("LookupError",))


def fate_of(kind, *, attempt=1, failing_for_s=0.0, draw=0.0, after_s=None, bases=()):
    outcome = Failed(kind=kind, error_class="E", message="m", after_s=after_s, bases=bases)
    return decide(outcome, attempt=attempt, failing_for_s=failing_for_s, policy=POLICY, draw=draw)


def test_a_handled_record_is_done():
    assert decide(Handled(), attempt=1, failing_for_s=0, policy=POLICY, draw=0) == Done()


@pytest.mark.parametrize("kind", ["rejected", "undecodable"])
def test_what_no_attempt_can_heal_is_dead_lettered_at_once(kind):
    assert fate_of(kind) == DeadLetter()


@pytest.mark.parametrize("kind", ["unexpected", "retry", "deadline", "died"])
def test_a_failure_is_retried_until_the_last_attempt(kind):
    assert fate_of(kind, attempt=1) == TryAgain(1.0, counted=True)
    assert fate_of(kind, attempt=2) == TryAgain(2.0, counted=True)
    assert fate_of(kind, attempt=3) == DeadLetter()


def test_an_unreachable_dependency_burns_no_attempt():
    for attempt in (1, 3, 50):
        fate = fate_of("unavailable", attempt=attempt)
        assert isinstance(fate, TryAgain)
        assert not fate.counted


def test_an_unknown_schema_has_thirty_seconds_to_appear():
    assert fate_of("unknown-schema", attempt=9, failing_for_s=UNKNOWN_SCHEMA_GRACE_S - 1) == TryAgain(
        1.0, counted=False
    )
    assert fate_of("unknown-schema", failing_for_s=UNKNOWN_SCHEMA_GRACE_S) == DeadLetter()


def test_the_handlers_own_delay_is_kept():
    assert fate_of("retry", after_s=7.5) == TryAgain(7.5, counted=True)


def test_a_permanent_exception_class_is_dead_lettered_with_its_subclasses():
    assert fate_of("unexpected", bases=("KeyError", "LookupError", "Exception")) == DeadLetter()


@given(st.integers(1, 2000), st.floats(0, 1, exclude_max=True))
def test_a_delay_is_bounded_and_the_jitter_only_shortens_it(attempt, draw):
    fate = decide(
        Failed(kind="unavailable", error_class="E", message="m"),
        attempt=attempt,
        failing_for_s=0,
        policy=POLICY,
        draw=draw,
    )
    assert isinstance(fate, TryAgain)
    assert POLICY.first_delay_s * 0.5 <= fate.delay_s <= POLICY.max_delay_s
