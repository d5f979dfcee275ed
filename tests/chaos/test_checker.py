"""The checker by itself: runs made by hand and by Hypothesis, each with one thing wrong, or with nothing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos import checker
from tests.chaos.evidence import NEVER_NS, Attack, Evidence, LetterSeen, Mended, ResultSeen
from tests.chaos.holdings import holdings
from tests.chaos.ledger import Handling, line_of
from tests.chaos.ledger import read as read_ledger
from tests.chaos.load import Sent
from tests.chaos.sampler import Commit
from tests.chaos.witness import Trip

_S = 1_000_000_000
_KEYS = 5


def sent(number, poison=None):
    return Sent(number, f"k{number % _KEYS}", number // _KEYS, "", poison, f"d{number}", b"")


def handling(number, *, at_s=None, pid=1):
    ended_ns = int((number if at_s is None else at_s) * _S)
    return Handling(
        number, f"k{number % _KEYS}", number // _KEYS, 1, pid, number % 2, number // 2, ended_ns, ended_ns, intact=True
    )


def run_of(count, poison=()):
    """A run of two partitions in which record n was handled at second n, its result there and committed at once."""
    poison = frozenset(poison)
    good = [number for number in range(count) if number not in poison]
    return Evidence(
        agent="tasks",
        ordered=True,
        exact=False,
        publishes=True,
        sent={number: sent(number, "empty" if number in poison else None) for number in range(count)},
        acked=frozenset(range(count)),
        places={number: (0, number % 2, number // 2) for number in range(count)},
        handlings=[handling(number) for number in good],
        results={number: [ResultSeen(number, number * _S, f"d{number}")] for number in good},
        letters={number: [LetterSeen(number, number * _S)] for number in poison},
        commits=[Commit("tasks", 0, number % 2, number // 2 + 1, number * _S) for number in range(count)],
        final={0: (count + 1) // 2, 1: count // 2},
        poison=poison,
    )


runs = st.integers(6, 60).flatmap(
    lambda count: st.builds(run_of, st.just(count), st.sets(st.integers(0, count - 1), max_size=3))
)


@given(runs)
def test_a_run_without_a_fault_breaks_nothing(seen):
    assert checker.violations(seen) == {}


@given(runs, st.data())
def test_a_record_that_nobody_handled_is_lost_and_its_commit_an_overrun(seen, data):
    gone = data.draw(st.sampled_from(sorted({handling.number for handling in seen.handlings})))
    without = replace(
        seen,
        handlings=[handling for handling in seen.handlings if handling.number != gone],
        results={number: results for number, results in seen.results.items() if number != gone},
    )
    assert {"I1", "I4", "I5"} <= checker.violations(without).keys()


@given(runs, st.data())
def test_a_result_that_is_nowhere_breaks_i8_and_i4(seen, data):
    gone = data.draw(st.sampled_from(sorted(seen.results)))
    without = replace(seen, results={number: found for number, found in seen.results.items() if number != gone})
    assert {"I8", "I4"} <= checker.violations(without).keys()


def test_what_waits_in_a_retry_topic_may_be_committed():
    seen = run_of(6)
    without = replace(seen, results={number: found for number, found in seen.results.items() if number != 2})
    assert checker.overruns(without) != []
    assert checker.overruns(replace(without, parked={2: 2 * _S})) == []


def test_an_object_that_is_nowhere_or_harmed_breaks_i8():
    seen = run_of(6)
    objects = {number: f"d{number}" for number in range(6)}
    assert checker.without_result(replace(seen, objects=objects)) == []
    told = checker.without_result(replace(seen, objects={**objects, 1: "another"}))
    assert told == ["record 1 was handled, and its object is nowhere, or harmed"]


@given(runs, st.data())
def test_a_commit_one_too_early_is_an_overrun(seen, data):
    index = data.draw(st.integers(0, len(seen.commits) - 1))
    early = [
        replace(commit, seen_ns=commit.seen_ns - 1) if at == index else commit for at, commit in enumerate(seen.commits)
    ]
    assert checker.violations(replace(seen, commits=early)).keys() == {"I4"}


@given(runs)
def test_a_commit_that_calls_a_record_finished_too_early_is_an_overrun(seen):
    false = Commit("tasks", 0, 0, 0, 1, beyond=b"\0\1")
    true = Commit("tasks", 0, 0, 0, 2 * _S, beyond=b"\0\1")
    assert checker.violations(replace(seen, commits=[*seen.commits, false])).keys() == {"I4"}
    assert checker.violations(replace(seen, commits=[*seen.commits, true])) == {}


@given(runs, st.data())
def test_only_the_poison_set_may_be_dead_lettered(seen, data):
    innocent = data.draw(st.sampled_from(sorted(seen.results)))
    letters = {**seen.letters, innocent: [LetterSeen(innocent, 10**18)]}
    assert "I1" in checker.violations(replace(seen, letters=letters))


def test_poison_without_a_dead_letter_is_lost():
    seen = run_of(20, poison={7})
    assert "I1" in checker.violations(replace(seen, letters={}))


def test_a_dead_letter_that_is_no_copy_of_its_origin_is_told():
    seen = run_of(20, poison={7})
    flawed = {7: [LetterSeen(7, 7 * _S, "its value is not its origin's")]}
    assert checker.blamed(replace(seen, letters=flawed)) == ["dead letter of 7: its value is not its origin's"]


def mended(**differently):
    """After the redrive of two letters: each sent again as it was, handled once, and nothing left."""
    again = {7: [LetterSeen(7, 30 * _S)], 9: [LetterSeen(9, 30 * _S)]}
    return replace(Mended(open=(), redriven=again, handled=(7, 9), letters=0, waiting=0), **differently)


@pytest.mark.parametrize(
    ("differently", "told"),
    [
        ({}, []),
        ({"open": ["tasks/t/0/3"]}, ["the letter tasks/t/0/3 is still open"]),
        ({"redriven": {7: [LetterSeen(7, 0)]}}, ["letter 9 was not redriven"]),
        ({"handled": (7,)}, ["letter 9 was redriven, and never handled"]),
        ({"handled": (7, 9, 9)}, []),
        ({"redriven": {7: [LetterSeen(7, 0, "its key is not its origin's")], 9: [LetterSeen(9, 0)]}},
         ["the redriven 7: its key is not its origin's"]),
        ({"redriven": {7: [LetterSeen(7, 0)] * 2, 9: [LetterSeen(9, 0)]}},
         ["letters were redriven twice, 1 times, though each redrive is one transaction after another"]),
        ({"letters": 1}, ["1 of the redriven were dead-lettered again"]),
        ({"waiting": 2}, ["2 of the redriven still wait"]),
    ],
)  # fmt: skip
def test_a_redrive_leaves_no_dead_letter_and_changes_none(differently, told):
    assert checker.not_redriven(run_of(20, poison={7, 9}), mended(**differently)) == told


def test_what_is_exact_handles_a_redriven_record_once():
    seen = replace(run_of(20, poison={7, 9}), exact=True)
    assert checker.not_redriven(seen, mended(handled=(7, 9, 9))) == ["the redriven 9 is counted 2 times"]


@given(st.permutations(range(12)))
def test_order_counts_the_first_handlings_of_a_key(order):
    seen = replace(run_of(12), handlings=[handling(number) for number in order])
    by_key = {key: [number for number in order if number % _KEYS == key] for key in range(_KEYS)}
    assert bool(checker.out_of_order(seen)) == any(numbers != sorted(numbers) for numbers in by_key.values())


def test_a_record_that_is_handled_again_is_repeated_and_not_out_of_order():
    seen = run_of(20)
    twice = replace(seen, handlings=[*seen.handlings, handling(3, at_s=30)])
    assert checker.repeated(twice) == [3]
    assert checker.violations(twice) == {}
    assert checker.counted_twice(replace(twice, exact=True)) == ["record 3 at 1, 1 is counted 2 times"]


def test_what_its_producer_wrote_twice_is_two_records():
    seen = run_of(20)
    copy = replace(handling(3, at_s=30), offset=99)
    twice = replace(seen, exact=True, handlings=[*seen.handlings, copy])
    assert checker.violations(twice) == {}
    assert checker.repeated(twice) == []


def test_what_a_fault_has_deleted_is_owed_to_nobody():
    seen = run_of(20)
    without = replace(
        seen,
        handlings=[handling for handling in seen.handlings if handling.number != 6],
        results={number: found for number, found in seen.results.items() if number != 6},
        excused=[(0, 0, 3, 4)],
    )
    assert checker.violations(without) == {}


def test_a_partition_has_recovered_when_another_process_works_on_it():
    handlings = [handling(0, at_s=1, pid=1), handling(1, at_s=1.5, pid=2), handling(2, at_s=4, pid=2)]
    seen = replace(run_of(6), handlings=handlings, attacks=[Attack("kill", 2 * _S, 1, 2 * _S)])
    assert checker.recoveries_s(seen) == [2.0]


def test_an_outage_is_no_part_of_the_recovery_from_it():
    handlings = [handling(0, at_s=1), handling(1, at_s=2.5), handling(2, at_s=3), handling(4, at_s=7)]
    first, second = Attack("broker", 2 * _S, None, 5 * _S), Attack("network", int(5.5 * _S), None, 6 * _S)
    assert checker.recoveries_s(replace(run_of(6), handlings=handlings, attacks=[first])) == [2.0]
    assert checker.recoveries_s(replace(run_of(6), handlings=handlings, attacks=[first, second])) == [1.0]


def test_a_kill_may_repeat_what_ended_just_before_it_and_no_more():
    handlings = [handling(0, at_s=1), handling(2, at_s=1.95), handling(0, at_s=5, pid=2), handling(2, at_s=5, pid=2)]
    seen = replace(run_of(6), handlings=handlings, attacks=[Attack("kill", 2 * _S, 1, 2 * _S)])
    assert [text.split()[1] for text in checker.redone_too_much(seen)] == ["0"]
    before = replace(seen, handlings=[handling(0, at_s=1), handling(0, at_s=1.9, pid=2)])
    assert checker.redone_too_much(before) == []


def test_what_a_kill_repeats_is_counted_from_the_interval_on_and_broken_on_a_busy_machine_later():
    numbers = {0: 3.95, 1: 3.85, 2: 3.6}
    first = [handling(number, at_s=at_s) for number, at_s in numbers.items()]
    again = [handling(number, at_s=5, pid=2) for number in numbers]
    seen = replace(run_of(6), handlings=first + again, attacks=[Attack("kill", 4 * _S, 1, 4 * _S)])
    assert [number for number, *_ in checker.redone_beyond_interval(seen)] == [1, 2]
    assert [text.split()[1] for text in checker.redone_too_much(seen)] == ["2"]


@pytest.mark.parametrize(("sent_s", "answered_s", "held"), [(1.2, 1.9, True), (1.2, 1.6, False), (0.1, 0.9, False)])
def test_where_the_broker_takes_no_commits_more_may_be_repeated(sent_s, answered_s, held):
    handlings = [handling(0, at_s=1.3), handling(0, at_s=5, pid=2)]
    attack, trip = Attack("kill", 2 * _S, 1, 2 * _S), Trip(int(sent_s * _S), int(answered_s * _S))
    seen = replace(run_of(6), handlings=handlings, attacks=[attack], trips=[trip])
    assert (checker.redone_too_much(seen) == []) is held


@pytest.mark.parametrize(("ended_s", "told"), [(1.0, "500"), (1.4, None), (1.6, None)])
def test_a_rebalance_may_repeat_what_ended_just_before_it_and_what_it_cut_off(ended_s, told):
    handlings = [handling(0, at_s=ended_s), handling(0, at_s=9, pid=2)]
    held = {(1, 0): [(0, int(1.5 * _S)), (int(1.8 * _S), NEVER_NS)]}
    seen = replace(run_of(6), handlings=handlings, attacks=[Attack("kill", 5 * _S, 1, 5 * _S)], holdings=held)
    assert [text.split()[4] for text in checker.redone_too_much(seen)] == ([told] if told else [])


@pytest.mark.parametrize(("result_s", "told"), [([1.1, 5], "900"), ([1.9, 5], None), ([5], None), ([], None)])
def test_a_record_is_finished_once_its_result_stands_in_its_topic(result_s, told):
    handlings = [handling(0, at_s=1), handling(0, at_s=5, pid=2)]
    results = {0: [ResultSeen(0, int(at_s * _S), "d0") for at_s in result_s]} if result_s else {}
    attack = Attack("kill", 2 * _S, 1, 2 * _S)
    seen = replace(run_of(6), handlings=handlings, results=results, attacks=[attack])
    assert [text.split()[4] for text in checker.redone_too_much(seen)] == ([told] if told else [])


_LOG = """2026-11-27T21:50:00.000001Z info assigned agent=tasks partitions="p.chaos.tasks[3,4] p.tasks.retry.0s[3,4]"
2026-11-27T21:50:00.500000Z info assigned agent=rows partitions="p.chaos.tasks[3] p.rows.retry.0s[3]"
a line of somebody else's
2026-11-27T21:50:01.000000Z info revoked agent=tasks partitions="p.chaos.tasks[3] p.tasks.retry.0s[3]"
2026-11-27T21:50:01.000100Z info assigned agent=tasks partitions=none
2026-11-27T21:50:02.000000Z warning lost agent=tasks partitions="p.chaos.tasks[4] p.tasks.retry.0s[4]"
2026-11-27T21:50:03.000000Z info assigned agent=tasks partitions="p.chaos.tasks[4] p.tasks.retry.0s[4]"
"""


def test_a_workers_log_tells_what_it_held_and_when():
    began_ns = 1_795_816_200 * _S
    assert holdings(_LOG, agent="tasks", topic="p.chaos.tasks") == {
        3: [(began_ns + 1000, began_ns + _S)],
        4: [(began_ns + 1000, began_ns + 2 * _S), (began_ns + 3 * _S, NEVER_NS)],
    }


def test_the_ledger_gives_back_what_was_noted(tmp_path):
    noted = [handling(number) for number in range(5)]
    (tmp_path / "tasks").write_text("".join(map(line_of, noted)))
    assert read_ledger(tmp_path, "tasks") == noted
    assert read_ledger(tmp_path, "nobody") == []
