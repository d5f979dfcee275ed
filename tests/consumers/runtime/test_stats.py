"""What an agent knows of its own speed."""

import time

import pytest

from consumers.runtime.stats import Stats


def test_a_rate_is_known_soon_after_the_first_is_finished_and_what_came_before_does_not_count():
    """The first takes two seconds, with its imports; then 1,000 are finished a second."""
    stats, now_s = Stats(), time.monotonic()
    stats.sized(total_bytes=100, records=1)
    for turn in range(100):
        now_s += 0.021
        stats.mark(now_s, 0)
        assert stats.rate == 0, f"nothing is finished in turn {turn}"
    stats.mark(now_s + 0.021, 21)
    assert stats.rate == pytest.approx(1000)


def test_later_the_rate_is_that_of_five_seconds():
    stats, began_s = Stats(), time.monotonic()
    stats.sized(total_bytes=100, records=1)
    for tenths in range(1, 101):
        stats.mark(began_s + tenths / 10, 100 * min(tenths, 50))
    assert stats.rate == pytest.approx(0, abs=50)
