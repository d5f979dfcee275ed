"""The table of results."""

from bench.results import Result, Spread
from bench.table import markdown


def cells_of(result):
    return [cell.strip() for cell in markdown([result]).splitlines()[-1].strip("|").split("|")]


def test_a_row_shows_its_figures_its_bar_and_whether_it_is_reached():
    result = Result(
        name="inline", title="one event", events_per_s=Spread(1000.2, 2000.0, 3000.0), ratio=1.714, against="bare",
        at_least=1.5, met=True,
    )  # fmt: skip
    assert cells_of(result) == ["inline: one event", "1,000", "2,000", "3,000", "1.71", "bare", "1.5", "met"]


def test_a_row_without_a_bar_says_neither_met_nor_missed():
    result = Result(name="bare", title="loop", events_per_s=Spread(1.0, 1.0, 1.0), ratio=1.0)
    assert cells_of(result)[-2:] == ["", ""]


def test_a_peer_that_could_not_run_is_named_with_the_reason_and_breaks_no_column():
    result = Result(name="peer", title="Some peer", unavailable="no | broker\nhere")
    assert cells_of(result) == ["peer: Some peer", "unavailable: no / broker here", *["–"] * 4, "", ""]


def test_a_bar_that_is_missed_by_a_hair_does_not_look_reached():
    result = Result(
        name="inline", title="one event", events_per_s=Spread(1.0, 1.0, 1.0), ratio=1.4999, against="bare",
        at_least=1.5, met=False,
    )  # fmt: skip
    assert cells_of(result)[4:] == ["1.49", "bare", "1.5", "missed"]
