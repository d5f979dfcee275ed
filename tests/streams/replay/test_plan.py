"""From positions to a range: pure."""

from hypothesis import given
from hypothesis import strategies as st

from streams.positions import Position
from streams.replay.job import Job, Slice
from streams.replay.plan import Plan, parts_of

bounds = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (pair[0], pair[0] + pair[1]))
places = st.builds(Position, st.sampled_from(["start", "end", "offset"]), st.integers(0, 120))


def resolved(position: Position, low: int, high: int) -> dict[int, int]:
    return {0: position.within(low, high)}


@given(bounds, places, places)
def test_a_range_lies_within_the_log_and_what_retention_took_of_it_is_counted(
    log: tuple[int, int], start: Position, end: Position
) -> None:
    low, high = log
    (part,) = parts_of(start, end, resolved(start, low, high), resolved(end, low, high), {0: log})
    assert low <= part.start <= part.end <= high
    assert part.records == len(range(part.start, part.end))
    until = end.number if end.kind == "offset" else end.within(low, high)
    wanted = range(start.number, until) if start.kind == "offset" else range(0)
    assert part.lost == len([offset for offset in wanted if offset < low])
    if start.kind == "offset":
        assert part.records + part.lost == len([offset for offset in wanted if offset < high])


@given(bounds, st.integers(0, 100))
def test_a_time_that_begins_where_the_log_begins_may_have_lost_what_was_before(log: tuple[int, int], at: int) -> None:
    low, high = log
    found = min(max(at, low), high)
    (part,) = parts_of(Position("time", 1), Position("end"), {0: found}, {0: high}, {0: log})
    assert part.perhaps_lost == (low if found == low else 0)
    assert part.lost == 0


def test_losses_are_told_with_counts_a_partition_at_a_time() -> None:
    start, log = Position("offset", 10), {0: (25, 40), 1: (5, 40), 2: (0, 5)}
    ends = {number: high for number, (_, high) in log.items()}
    starts = {number: start.within(*bounds) for number, bounds in log.items()}
    plan = Plan("t", "id", parts_of(start, Position("end"), starts, ends, log))
    assert plan.losses() == ["t [0]: retention has taken 15 offsets of the range (offsets 10 to 24)"]
    assert plan.records == 15 + 30


@given(st.dictionaries(st.integers(0, 3), st.integers(0, 30)))
def test_progress_counts_only_what_lies_in_the_range(reached: dict[int, int]) -> None:
    slices = (Slice(0, 5, 10), Slice(1, 0, 0), Slice(2, 8, 20))
    job = Job(id="a", mode="shadow", topic="t", topic_id="i", slices=slices, start="", end="")
    expected = {(0, offset) for offset in range(5, 10)} | {(2, offset) for offset in range(8, 20)}
    assert job.covered(reached) == len([1 for number, offset in expected if offset < reached.get(number, 0)])
    assert job.records == len(expected)
