"""From rounds to results."""

import pytest

from bench.results import plain, results
from bench.rounds import in_order
from bench.rows import ROWS, Row, chosen


def row(name, *, against=None, at_least=None):
    return Row(name=name, title=name.title(), run=lambda ground: 0.0, against=against, at_least=at_least)


BARE, FAST = row("bare"), row("fast", against="bare", at_least=1.5)


def test_the_ratio_is_the_median_of_the_ratios_within_each_round():
    bare, fast = results([BARE, FAST], {"bare": [100.0, 200.0, 100.0], "fast": [300.0, 200.0, 160.0]}, {})
    assert (bare.ratio, fast.ratios, fast.ratio, fast.met) == (1.0, [3.0, 1.0, 1.6], 1.6, True)
    assert (fast.events_per_s.min, fast.events_per_s.median, fast.events_per_s.max) == (160.0, 200.0, 300.0)


def test_a_bar_that_is_not_reached_is_missed():
    assert results([BARE, FAST], {"bare": [100.0], "fast": [149.0]}, {})[1].met is False


def test_a_row_that_could_not_run_is_there_with_its_reason():
    found = results([BARE, FAST], {"bare": [100.0], "fast": []}, {"fast": "no broker"})[1]
    assert (found.events_per_s, found.ratio, found.met, found.unavailable) == (None, None, None, "no broker")


def test_without_the_figure_of_the_other_row_there_is_no_ratio():
    found = results([BARE, FAST], {"bare": [], "fast": [10.0]}, {"bare": "gone"})[1]
    assert (found.ratio, found.met, found.events_per_s.median) == (None, None, 10.0)


def test_what_is_written_names_the_machine_beside_each_row():
    written = plain(results([BARE], {"bare": [100.0]}, {}), {"machine": "2 cores"})
    assert written[0]["name"] == "bare"
    assert written[0]["events_per_s"] == {"min": 100.0, "median": 100.0, "max": 100.0}
    assert (written[0]["ratio"], written[0]["machine"]) == (1.0, "2 cores")


def test_every_other_round_runs_backwards():
    assert [in_order([BARE, FAST], number) for number in range(3)] == [[BARE, FAST], [FAST, BARE], [BARE, FAST]]


def test_a_row_brings_along_what_it_is_measured_against():
    assert [each.name for each in chosen(["publish", "inline"])] == ["bare", "inline", "bare-publish", "publish"]
    with pytest.raises(KeyError):
        chosen(["nobody"])


def test_every_row_is_measured_against_a_row():
    names = [each.name for each in ROWS]
    assert len(names) == len(set(names))
    assert {each.against for each in ROWS} - {None} <= set(names)
