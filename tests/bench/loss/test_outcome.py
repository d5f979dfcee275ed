"""What became of every id, counted from a ledger."""

from bench.loss.outcome import Fates, Left, count
from bench.loss.workload import Item, bad_keys, items

GIVEN = [Item("a", "plain"), Item("b", "plain"), Item("c", "transient"), Item("p", "poison"), Item("q", "poison")]


def test_what_is_handled_is_neither_lost_nor_doubled():
    outcome = count(GIVEN, ["a 0", "b 1", "c 0"], Left())
    assert (outcome.published, outcome.handled, outcome.lost, outcome.twice) == (3, 3, 0, 0)


def test_an_id_that_is_nowhere_is_lost_and_a_transient_one_is_counted_apart():
    outcome = count(GIVEN, ["a 0"], Left())
    assert (outcome.handled, outcome.lost, outcome.transient_lost) == (1, 2, 1)


def test_what_a_next_worker_would_get_is_waiting_and_not_lost():
    outcome = count(GIVEN, ["a 0"], Left(dead=frozenset({"c"}), waiting=frozenset({"a", "b", "c"})))
    assert (outcome.handled, outcome.waiting, outcome.dead, outcome.lost) == (1, 1, 1, 0)


def test_each_id_that_was_handled_again_counts_once():
    assert count(GIVEN, ["a 0", "a 1", "a 0", "b 0", "b 1", "c 1"], Left()).twice == 2


def test_a_line_that_was_cut_short_is_no_handling():
    assert count(GIVEN, ["a 0", "b"], Left()).handled == 1


def test_poison_is_dead_or_waiting_or_gone_and_never_lost():
    outcome = count(GIVEN, ["a 0", "b 0", "c 0"], Left(dead=frozenset({"p"})))
    assert (outcome.poison, outcome.lost) == (Fates(dead=1, waiting=0, gone=1), 0)


def test_undecodable_values_are_counted_where_there_are_any():
    assert count(GIVEN, [], Left()).undecodable is None
    left = Left(dead=frozenset({"bad-0"}), waiting=frozenset({"bad-1"}))
    assert count(GIVEN, [], left, undecodable=["bad-0", "bad-1", "bad-2"]).undecodable == Fates(1, 1, 1)


def test_the_list_is_the_same_for_the_same_seed_and_has_one_percent_of_each_kind():
    listed = items(10_000)
    assert listed == items(10_000)
    assert listed != items(10_000, seed=6)
    kinds = [item.kind for item in listed]
    assert (kinds.count("poison"), kinds.count("transient"), len({item.item_id for item in listed})) == (
        100,
        100,
        10_000,
    )
    assert not set(bad_keys()) & {item.item_id for item in listed}
