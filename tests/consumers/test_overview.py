import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers import overview
from consumers.batch import Batch
from consumers.context import Context
from consumers.overview import Figures
from consumers.runtime.state import FencedError, Position, State

MINUTE_MS = 60_000
START_MS = 1_790_000_040_000
START_US = START_MS * 1000
TOPICS = ("images.processed", "texts.analyzed", "images.dlq")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'headrace.db'}"


@pytest.fixture
def group() -> str:
    return f"overview-{secrets.token_hex(4)}"


@pytest.fixture
def state(database_url: str, group: str) -> Iterator[State]:
    state = State(database_url, group=group)
    for topic in TOPICS:
        state.begin(Position(topic, topic, 0), 0)
    yield state
    state.close()


def result(agent: str | None = "images", taken_us: int | None = 1_000) -> dict[str, bytes]:
    headers = {"headrace-agent": agent.encode()} if agent else {}
    return {**headers, "headrace-handling-us": b"%d" % taken_us} if taken_us is not None else headers


def fold(state: State, topic: str, records: list[tuple[int, dict[str, bytes]]], *, first: int = 0) -> None:
    import polars as pl

    following = first + len(records)
    times, headers = [time_ms for time_ms, _ in records], [found for _, found in records]
    with state.transaction(Position(topic, topic, 0), expected=first, following=following) as connection:
        batch = Batch(topic, 0, list(range(first, following)), times, headers, pl.DataFrame())
        assert overview.fold(batch, Context(agent="overview", connection=connection)) == []


def test_results_and_dead_letters_are_counted_by_agent_and_minute(state: State, database_url: str, group: str) -> None:
    fold(state, "images.processed", [(START_MS, result()), (START_MS + MINUTE_MS, result()), (START_MS + 1, result())])
    fold(state, "images.dlq", [(START_MS + 5, {"headrace-error-class": b"Reject"})])
    first, second = overview.read(database_url, group=group)
    assert (first.since_us, first.agent, first.results, first.failures) == (START_US, "images", 2, 1)
    assert (second.since_us, second.agent, second.results, second.failures) == (START_US + 60_000_000, "images", 1, 0)


def test_handling_times_are_at_most_one_percent_off(state: State, database_url: str, group: str) -> None:
    fold(state, "images.processed", [(START_MS, result(taken_us=1_000 * number)) for number in range(1, 101)])
    (minute,) = overview.read(database_url, group=group)
    assert minute.p50_ms == pytest.approx(50, rel=0.01)
    assert minute.p99_ms == pytest.approx(99, rel=0.01)


def test_an_agent_that_only_failed_has_no_handling_time(state: State, database_url: str, group: str) -> None:
    fold(state, "images.dlq", [(START_MS, {})])
    assert overview.read(database_url, group=group) == [Figures(START_US, "images", 0, 1, None, None)]


@pytest.mark.parametrize("taken", [b"", b"soon", b"-4", "٣".encode()])
def test_a_strangers_result_is_counted_whatever_its_headers_say(
    state: State, database_url: str, group: str, taken: bytes
) -> None:
    fold(state, "images.processed", [(START_MS, {"headrace-handling-us": taken})])
    assert overview.read(database_url, group=group) == [Figures(START_US, "unknown", 1, 0, None, None)]


def test_totals_put_an_agents_minutes_together(state: State, database_url: str, group: str) -> None:
    fold(state, "images.processed", [(START_MS + minute * MINUTE_MS, result(taken_us=10_000)) for minute in range(3)])
    fold(state, "texts.analyzed", [(START_MS, result("text", taken_us=500))])
    images, text = overview.totals(database_url, group=group)
    assert (images.agent, images.since_us, images.results) == ("images", START_US, 3)
    assert images.p99_ms == pytest.approx(10, rel=0.01)
    assert (text.agent, text.results) == ("text", 1)


def test_reading_from_a_moment_on_leaves_out_minutes_that_had_ended(
    state: State, database_url: str, group: str
) -> None:
    fold(state, "images.processed", [(START_MS, result()), (START_MS + MINUTE_MS, result())])
    within = overview.read(database_url, group=group, since_us=START_US + 59_999_999)
    after = overview.read(database_url, group=group, since_us=START_US + 60_000_000)
    assert [len(within), len(after)] == [2, 1]


def test_reading_before_anything_was_counted_gives_nothing_and_creates_nothing(tmp_path: Path) -> None:
    assert overview.read(f"sqlite:///{tmp_path}/none/headrace.db") == []
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_lost_its_partition_counts_nothing(state: State, database_url: str, group: str) -> None:
    fold(state, "images.processed", [(START_MS, result())])
    with pytest.raises(FencedError):
        fold(state, "images.processed", [(START_MS, result()), (START_MS, result())])
    assert [minute.results for minute in overview.read(database_url, group=group)] == [1]


record = st.tuples(
    st.integers(0, 3 * MINUTE_MS).map(lambda shift: START_MS + shift),
    st.builds(result, st.sampled_from(["images", "text", None]), st.none() | st.integers(0, 10**7)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(record, min_size=1, max_size=40), data=st.data())
def test_any_cut_into_batches_gives_the_same_figures(
    database_url: str, records: list[tuple[int, dict[str, bytes]]], data: st.DataObject
) -> None:
    groups = [f"cut-{secrets.token_hex(6)}" for _ in range(2)]
    for group in groups:
        with closing(State(database_url, group=group)) as state:
            state.begin(Position("texts.analyzed", "texts.analyzed", 0), 0)
            first = 0
            while first < len(records):
                size = data.draw(st.integers(1, 15)) if group == groups[1] else len(records)
                fold(state, "texts.analyzed", records[first : first + size], first=first)
                first = min(first + size, len(records))
    whole, cut = (overview.read(database_url, group=group) for group in groups)
    assert whole == cut
    assert sum(minute.results for minute in whole) == len(records)
