"""A replay's bounds: the pace and the mark."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.bounds import Bound, Pace


@given(st.floats(0.5, 500), st.lists(st.tuples(st.floats(0.001, 5), st.integers(0, 2000)), min_size=1, max_size=40))
def test_in_no_stretch_of_time_more_than_the_pace_allows_is_taken(rate: float, turns: list[tuple[float, int]]) -> None:
    pace, now_s, taken = Pace(rate), 0.0, list[tuple[float, int]]()
    pace.room(now_s)
    for passed_s, wish in turns:
        now_s += passed_s
        number = min(wish, pace.room(now_s))
        pace.took(number)
        taken.append((now_s, number))
    for first, (from_s, _) in enumerate(taken):
        for last in range(first, len(taken)):
            sent = sum(number for _, number in taken[first : last + 1])
            assert sent <= max(1.0, rate) + (taken[last][0] - from_s) * rate + 1e-6


def test_the_mark_of_an_earlier_replay_gives_way_and_nothing_else_does() -> None:
    bound = Bound(10, ("headrace-replay", b"new"))
    headers = (("a", b"1"), ("headrace-replay", b"old"), ("a", None))
    assert bound.marked(headers) == (("a", b"1"), ("a", None), ("headrace-replay", b"new"))
