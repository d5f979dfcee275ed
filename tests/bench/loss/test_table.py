"""The table."""

from bench.loss.outcome import Fates, Outcome
from bench.loss.table import COLUMNS, Row, markdown, settings

OUTCOME = Outcome(
    published=9_900, handled=9_890, lost=7, transient_lost=2, waiting=3, dead=0, twice=12,
    poison=Fates(100, 0, 0), undecodable=None, kills=3, seconds=41.4,
)  # fmt: skip


def cells_of(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_shows_every_count():
    line = markdown([Row("Some peer", "peer 1", "nothing", OUTCOME)]).splitlines()[-1]
    assert cells_of(line) == ["Some peer", "9,890 of 9,900", "7", "2", "3", "0", "12", "100 / 0 / 0", "–", "3", "41"]


def test_a_peer_that_could_not_run_is_named_with_the_reason_and_breaks_no_column():
    line = markdown([Row("Some peer", "–", "nothing", "no | broker\nhere")]).splitlines()[-1]
    assert cells_of(line)[:2] == ["Some peer", "unavailable: no / broker here"]
    assert len(cells_of(line)) == len(COLUMNS)


def test_what_was_set_stands_beside_the_versions():
    assert cells_of(settings([Row("Some peer", "peer 1", "acks_late", OUTCOME)]).splitlines()[-1]) == [
        "Some peer",
        "peer 1",
        "acks_late",
    ]
