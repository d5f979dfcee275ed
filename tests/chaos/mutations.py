"""Named faults in the runtime. A green that cannot go red counts for nothing: each of these must turn an invariant red.

A mutation patches one function, in the worker's process, before Faust starts; nothing but tests/chaos/worker.py switches
one on. Each names the invariant that it breaks and the run that exposes it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.mutants import of_commits, of_letters, of_order, of_state

__all__ = ["MUTATIONS", "Mutation"]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One fault of the runtime.

    Attributes:
        patch: puts it in place.
        breaks: the invariant that must go red.
        arguments: the run, as on the command line, that exposes it.
        why: which rule of delivery it forgets.
    """

    patch: Callable[[], None]
    breaks: str
    arguments: str

    @property
    def why(self) -> str:
        """The patch's own words."""
        return (self.patch.__doc__ or "").splitlines()[0]


_KILLS = "--messages 2500 --fault kill:2"
_POISON = "--messages 2500 --fault kill:1,poison,errors"
_LEAVES = "--messages 2500 --fault term:3"

MUTATIONS = {
    "commit-the-position": Mutation(of_commits.commit_the_position, "I4", _KILLS),
    "drop-the-watermark-guard": Mutation(of_commits.drop_the_watermark_guard, "I4", _KILLS),
    "commit-one-too-far": Mutation(of_commits.commit_one_too_far, "I4", _KILLS),
    "commit-seldom": Mutation(of_commits.commit_seldom, "I12", f"{_KILLS} --strict-redo"),
    "call-all-of-it-finished": Mutation(of_commits.call_all_of_it_finished, "I4", _KILLS),
    "acknowledge-before-the-result": Mutation(
        of_letters.acknowledge_before_the_result, "I1", "--messages 2000 --fault oversize"
    ),
    "forget-a-result": Mutation(of_letters.forget_a_result, "I8", _KILLS),
    "ignore-failed-dead-letter": Mutation(
        of_letters.ignore_failed_dead_letter, "I1", "--messages 3000 --fault poison,letters:1"
    ),
    "forget-the-redriven": Mutation(of_letters.forget_the_redriven, "I13", "--messages 2000 --fault poison --redrive"),
    "swallow-poison": Mutation(of_letters.swallow_poison, "I5", _POISON),
    "trim-the-dead-letter": Mutation(of_letters.trim_the_dead_letter, "I1", _POISON),
    "swallow-errors": Mutation(of_letters.swallow_errors, "I1", _POISON),
    "charge-a-kill": Mutation(of_letters.charge_a_kill, "I1", _KILLS),
    "give-up-at-once": Mutation(of_letters.give_up_at_once, "I1", _POISON),
    "charge-an-outage": Mutation(of_letters.charge_an_outage, "I1", "--messages 6000 --fault store:1"),
    "lane-by-random": Mutation(of_order.lane_by_random, "I2", "--messages 2500 --keys 20 --fault errors"),
    "overtake-a-retry": Mutation(of_order.overtake_a_retry, "I2", "--messages 2500 --keys 20 --fault errors"),
    "forget-a-retry": Mutation(of_order.forget_a_retry, "I6", "--messages 2500 --keys 20 --fault errors"),
    "forget-revoke-drain": Mutation(of_commits.forget_revoke_drain, "I9", _LEAVES),
    "resume-at-once": Mutation(
        of_commits.resume_at_once, "I10", "--messages 6000 --rate 0 --workers 1 --max-in-flight 400"
    ),
    "two-transactions": Mutation(of_state.two_transactions, "I3", "--messages 3000 --fault kill:4 --rate 400"),
    "two-transactions-of-analytics": Mutation(
        of_state.two_transactions, "I7", "--load activity --messages 6000 --rate 1500 --fault kill:3"
    ),
    "write-unfenced": Mutation(
        of_state.write_unfenced, "I3", "--messages 6000 --fault stop:5 --workers 2 --session-ms 2000"
    ),
    "stale-completion": Mutation(
        of_state.stale_completion, "I11", "--messages 3000 --fault stop:2,sluggish --workers 1 --deadline-s 20"
    ),
    "reset-to-the-end": Mutation(of_state.reset_to_the_end, "I1", "--messages 4000 --fault retention:1"),
    "say-nothing-of-the-lost": Mutation(of_state.say_nothing_of_the_lost, "I14", "--messages 4000 --fault retention:1"),
    "trust-the-old-log": Mutation(
        of_state.trust_the_old_log, "I1", "--messages 6000 --fault recreate:1 --session-ms 6000 --seed 14"
    ),
}
