"""When windows are closed, and what is published of them."""

import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers import analytics
from consumers.context import Context
from consumers.runtime.state import Position, State
from schemas.records import ActivityRolledUp, UrlCount
from tests.support.activity import MINUTE, START, Act, position, run

SECOND = 1_000_000


class Clock:
    """The wall clock, moved by hand, in microseconds since the epoch."""

    def __init__(self) -> None:
        self.now = START + 100 * MINUTE

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(analytics, "now_us", clock)
    return clock


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'headrace.db'}"


@pytest.fixture
def state(database_url: str, clock: Clock) -> Iterator[State]:
    state = State(database_url, group=f"closing-{secrets.token_hex(4)}")
    for partition in (0, 1):
        state.begin(position(partition), 0)
    yield state
    state.close()


@pytest.fixture
def roll_up(state: State) -> Callable[..., list[ActivityRolledUp]]:
    """Counts events into a partition, after those that are there."""

    def roll_up(partition: int, *acts: Act) -> list[ActivityRolledUp]:
        return run(state, analytics.roll_up, partition, list(acts), first=state.start(position(partition)) or 0)

    return roll_up


def tick(state: State, clock: Clock, seconds: int = 0) -> list[ActivityRolledUp]:
    """What the agent's ticks of so many seconds close, one each second."""
    closed: list[ActivityRolledUp] = []
    for passed in range(seconds + 1):
        clock.now += SECOND if passed else 0
        with state.plain() as connection:
            closed += analytics.close_idle(Context(agent="analytics", connection=connection))
    return closed


def test_a_partition_of_a_retry_topic_holds_no_window_open(state: State, roll_up: Any) -> None:
    state.begin(Position("another-log", f"{state._group}.retry.0s", 0), 0)
    roll_up(0, Act(START, user="a"), Act(START + 2 * MINUTE))
    assert [each.window_start for each in roll_up(1, Act(START + 2 * MINUTE))] == [START]


def test_a_window_closes_when_every_partition_has_passed_its_end_and_the_grace(roll_up: Any) -> None:
    assert roll_up(0, Act(START, user="a"), Act(START + 2 * MINUTE)) == []
    assert roll_up(1, Act(START + 5, user="b"), Act(START + 2 * MINUTE - 1)) == []
    closed = roll_up(1, Act(START + 2 * MINUTE))
    assert [(each.window_start, each.kind, each.count, each.distinct_users) for each in closed] == [
        (START, "view", 2, 2)
    ]


def test_a_closed_window_carries_every_figure(roll_up: Any) -> None:
    roll_up(1, Act(START + 2 * MINUTE))
    (closed,) = roll_up(
        0,
        *(
            Act(START + index, duration_ms=index + 1, user=f"u{index % 7}", url=f"/{index % 12}")
            for index in range(100)
        ),
        Act(START + 2 * MINUTE),
    )
    assert (closed.window_end, closed.occurred_at, closed.revision) == (START + MINUTE, START + MINUTE, 0)
    assert (closed.count, closed.distinct_users, closed.duration_sum_ms) == (100, 7, 5050)
    assert (closed.duration_min_ms, closed.duration_max_ms, closed.duration_mean_ms) == (1, 100, 50.5)
    assert closed.duration_p50_ms == pytest.approx(50, rel=0.01)
    assert closed.duration_p95_ms == pytest.approx(95, rel=0.01)
    assert closed.duration_p99_ms == pytest.approx(99, rel=0.01)
    pages = ["/0", "/1", "/2", "/3", "/10", "/11", "/4", "/5", "/6", "/7"]
    assert closed.top_urls == tuple(UrlCount(url=url, count=9 if index < 4 else 8) for index, url in enumerate(pages))


def test_a_partition_that_has_not_begun_holds_windows_open(roll_up: Any, state: State, clock: Clock) -> None:
    assert roll_up(0, Act(START), Act(START + 9 * MINUTE)) == []
    assert tick(state, clock, seconds=30) == []


def test_a_partition_idle_for_a_minute_no_longer_holds_windows_open(roll_up: Any, state: State, clock: Clock) -> None:
    roll_up(1, Act(START))
    roll_up(0, Act(START), Act(START + 2 * MINUTE))
    assert tick(state, clock, seconds=59) == []
    roll_up(0, Act(START + 2 * MINUTE + 1))
    closed = tick(state, clock, seconds=2)
    assert [(each.window_start, each.count) for each in closed] == [(START, 2)]


def test_when_all_are_idle_the_clock_closes_what_has_passed(roll_up: Any, state: State, clock: Clock) -> None:
    clock.now = START + 30 * SECOND
    tick(state, clock)
    roll_up(0, Act(START))
    roll_up(1, Act(START + 4 * MINUTE))
    assert tick(state, clock, seconds=80) == []
    assert [each.window_start for each in tick(state, clock, seconds=20)] == [START]
    assert [each.window_start for each in tick(state, clock, seconds=250)] == [START + 4 * MINUTE]


def test_after_a_break_nobody_is_called_idle_for_a_minute(roll_up: Any, state: State, clock: Clock) -> None:
    tick(state, clock)
    roll_up(1, Act(START))
    roll_up(0, Act(START))
    clock.now += 3_600 * SECOND
    assert roll_up(0, Act(START + 9 * MINUTE)) == []
    assert tick(state, clock, seconds=59) == []
    assert [each.window_start for each in tick(state, clock, seconds=2)] == [START, START + 9 * MINUTE]


def test_a_window_is_published_once_while_it_does_not_change(roll_up: Any, state: State, clock: Clock) -> None:
    roll_up(0, Act(START), Act(START + 2 * MINUTE))
    assert len(roll_up(1, Act(START + 2 * MINUTE))) == 1
    assert roll_up(1, Act(START + 3 * MINUTE)) == []
    assert tick(state, clock) == []


def test_a_closed_window_that_changes_is_published_again_as_its_next_revision(
    roll_up: Any, state: State, clock: Clock
) -> None:
    roll_up(0, Act(START), Act(START + 2 * MINUTE))
    (first,) = roll_up(1, Act(START + 2 * MINUTE))
    roll_up(0, Act(START, headers={"headrace-attempts": b"2"}))
    (second,) = tick(state, clock)
    assert (first.revision, first.count, second.revision, second.count) == (0, 1, 1, 2)
    assert first.event_id != second.event_id
    assert tick(state, clock) == []


def test_the_same_window_kind_and_revision_give_the_same_event_id(database_url: str, clock: Clock) -> None:
    ids = []
    for _ in range(2):
        state = State(database_url, group=f"same-{secrets.token_hex(4)}")
        state.begin(position(0), 0)
        (closed,) = run(state, analytics.roll_up, 0, [Act(START), Act(START + 2 * MINUTE)], first=0)
        ids.append(closed.event_id)
        state.close()
    assert ids[0] == ids[1]


def test_a_failed_transaction_publishes_its_window_again_later_with_the_same_revision(
    roll_up: Any, state: State, clock: Clock
) -> None:
    roll_up(1, Act(START + 2 * MINUTE))
    log = [Act(START), Act(START + 2 * MINUTE)]

    def fail() -> None:
        with state.transaction(position(0), expected=0, following=2) as connection:
            assert len(run_in(connection, log)) == 1
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    (closed,) = roll_up(0, *log)
    assert closed.revision == 0


def run_in(connection: Any, log: list[Act]) -> list[ActivityRolledUp]:
    from tests.support.activity import batch

    return analytics.roll_up(batch(0, 0, log), Context(agent="analytics", connection=connection))


def test_of_workers_that_close_at_once_exactly_one_publishes(state: State, database_url: str, clock: Clock) -> None:
    partitions = 6
    for partition in range(partitions):
        state.begin(position(partition), 0)
        run(state, analytics.roll_up, partition, [Act(START, user=f"u{partition}")], first=0)
    published: list[ActivityRolledUp] = []
    together = threading.Barrier(partitions)

    def work(partition: int) -> None:
        mine = State(database_url, group=state._group)
        together.wait()
        published.extend(run(mine, analytics.roll_up, partition, [Act(START + 2 * MINUTE)], first=1))
        published.extend(tick(mine, clock))
        mine.close()

    threads = [threading.Thread(target=work, args=(partition,)) for partition in range(partitions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    published += tick(state, clock)
    assert [(each.window_start, each.revision, each.count) for each in published] == [(START, 0, partitions)]
