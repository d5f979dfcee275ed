"""What becomes of a record. Nothing else in Headrace decides it."""

from dataclasses import dataclass

from consumers.runtime.agent import RetryPolicy
from consumers.runtime.record import Failed, Handled, Held, Outcome

UNKNOWN_SCHEMA_GRACE_S = 30.0
"""A registry may learn of a schema a moment after the first record that uses it; past this it is no delay any more."""

_ASK_REGISTRY_AGAIN_S = 1.0
_NOT_THE_RECORDS = frozenset({"unavailable", "misconfigured", "fenced"})
_AT_ONCE = frozenset({"rejected", "undecodable", "unknown-schema"})


@dataclass(frozen=True, slots=True)
class Done:
    """The record is finished once its results are acknowledged."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The record is tried again.

    Attributes:
        delay_s: seconds from now.
        counted: whether the failure counts as an attempt.
        aside: whether it waits in a retry topic, outside its partition, and not in its lane.
    """

    delay_s: float
    counted: bool
    aside: bool = False


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The record goes to the agent's dead-letter topic."""


Fate = Done | TryAgain | DeadLetter


def decide(
    outcome: Outcome, *, attempt: int, failing_for_s: float, policy: RetryPolicy, draw: float, aside: bool = False
) -> Fate:
    """Done, retried or dead-lettered.

    Args:
        outcome: what the executor brought back.
        attempt: which attempt this was, from 1.
        failing_for_s: seconds since the record's first failure; 0 at the first.
        policy: the agent's.
        draw: a random number in [0, 1), for the jitter.
        aside: whether the agent has retry topics to wait in: an unordered one.
    """
    if isinstance(outcome, Handled):
        return Done()
    if isinstance(outcome, Held):
        return TryAgain(0.0, counted=False)
    if outcome.kind in _NOT_THE_RECORDS:
        return TryAgain(_backoff_s(attempt + 1, policy, draw), counted=False)
    if outcome.kind == "unknown-schema" and failing_for_s < UNKNOWN_SCHEMA_GRACE_S:
        return TryAgain(_ASK_REGISTRY_AGAIN_S, counted=False)
    if _is_hopeless(outcome, policy) or attempt >= policy.attempts:
        return DeadLetter()
    delay_s = _topic_delay_s(attempt, policy, draw) if aside else _backoff_s(attempt, policy, draw)
    return TryAgain(delay_s if outcome.after_s is None else outcome.after_s, counted=True, aside=aside)


def _is_hopeless(failure: Failed, policy: RetryPolicy) -> bool:
    """Whether no attempt can ever succeed."""
    return failure.kind in _AT_ONCE or bool(set(policy.permanent) & set(failure.bases))


def _topic_delay_s(attempt: int, policy: RetryPolicy, draw: float) -> float:
    """The delay of one retry topic after the other, with jitter upwards: nothing leaves a topic before its delay."""
    delay_s = policy.topic_delays_s[min(attempt, len(policy.topic_delays_s)) - 1]
    return delay_s * (1.0 + policy.jitter * draw)


def _backoff_s(attempt: int, policy: RetryPolicy, draw: float) -> float:
    """Exponential, bounded, with jitter downwards: a bound on the exponent keeps the power finite."""
    delay_s: float = min(policy.max_delay_s, policy.first_delay_s * 2.0 ** min(attempt - 1, 32))
    return delay_s * (1.0 - policy.jitter * draw)
