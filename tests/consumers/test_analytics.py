"""The whole agent over a real database: rows, lateness, fencing, death."""

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers import analytics
from consumers.errors import RejectSome
from consumers.rollups import distinct, urls
from consumers.runtime.state import FencedError, State
from tests.support.activity import MINUTE, START, Act, expected_rows, position, run, stored_rows, stored_watermarks
from tests.support.counting import PARTITIONS, RECORDS, log_of


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'headrace.db'}"


@pytest.fixture
def group() -> str:
    return f"analytics-{secrets.token_hex(4)}"


@pytest.fixture
def state(database_url: str, group: str) -> Iterator[State]:
    state = State(database_url, group=group)
    state.begin(position(0), 0)
    yield state
    state.close()


acts = st.builds(
    Act,
    at_us=st.integers(-4 * MINUTE, 4 * MINUTE).map(lambda shift: START + shift),
    kind=st.sampled_from(["view", "view", "click", "search", "purchase"]),
    user=st.integers(0, 25).map("user-{}".format),
    url=st.integers(0, 9).map("/page/{}".format) | st.sampled_from(["/ü\x00n", "/" + "long" * 400]),
    duration_ms=st.integers(0, 60) | st.integers(0, 2**31 - 1),
    headers=st.sampled_from([{}, {}, {}, {"headrace-attempts": b"2"}, {"headrace-replay": b"1"}]),
)
logs = st.lists(st.lists(acts, max_size=25), min_size=1, max_size=3)


class Reader:
    """Reads logs batch by batch, as a drawn plan says; now and then it is started anew and resumes from what is stored."""

    def __init__(self, url: str, group: str, logs: list[list[Act]]) -> None:
        self._url, self._group, self._logs = url, group, logs
        self._state = State(url, group=group)
        for partition in range(len(logs)):
            self._state.begin(position(partition), 0)

    def read(self, data: st.DataObject) -> None:
        while open_logs := [partition for partition, log in enumerate(self._logs) if self._at(partition) < len(log)]:
            if data.draw(st.sampled_from([False, False, False, True]), label="restart"):
                self.close()
                self._state = State(self._url, group=self._group)
            partition = data.draw(st.sampled_from(open_logs), label="partition")
            first = self._at(partition)
            chunk = self._logs[partition][first : first + data.draw(st.integers(1, 12), label="cut")]
            run(self._state, analytics.roll_up, partition, chunk, first=first)

    def _at(self, partition: int) -> int:
        return self._state.start(position(partition)) or 0

    def close(self) -> None:
        self._state.close()


def counted_as(log: list[Act]) -> list[Act]:
    """The log with its urls as they are counted: very long ones cut."""
    return [
        Act(act.at_us, act.kind, act.user, urls.shortened([act.url])[0], act.duration_ms, act.headers) for act in log
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs=logs, data=st.data())
def test_any_interleaving_cut_and_restart_leaves_the_rows_of_a_direct_computation(
    database_url: str, logs: list[list[Act]], data: st.DataObject
) -> None:
    group = f"property-{secrets.token_hex(6)}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distinct, "EXACT_UP_TO", 8)  # so that small logs pass from the set to the registers
        patch.setattr(urls, "PACKED_UP_TO", 4)  # and from packed counts to rows
        with closing(Reader(database_url, group, logs)) as reader:
            reader.read(data)
        assert stored_rows(database_url, group) == expected_rows([counted_as(log) for log in logs])
        latest = {partition: max(act.at_us for act in log) for partition, log in enumerate(logs) if log}
        assert stored_watermarks(database_url, group) == latest


def test_a_writer_that_lost_its_partition_is_refused_and_leaves_no_trace(
    state: State, database_url: str, group: str
) -> None:
    loser = State(database_url, group=group)
    log = [Act(START + second * 1_000_000, user=f"user-{second}") for second in range(30)]
    run(state, analytics.roll_up, 0, log[:20], first=0)
    with pytest.raises(FencedError):
        run(loser, analytics.roll_up, 0, log[:25], first=0)
    assert stored_rows(database_url, group) == expected_rows([log[:20]])
    run(loser, analytics.roll_up, 0, log[20:], first=loser.start(position(0)) or 0)
    assert stored_rows(database_url, group) == expected_rows([log])
    loser.close()


@pytest.mark.slow
def test_rows_are_exact_after_the_process_was_killed_again_and_again(database_url: str, group: str) -> None:
    command = [sys.executable, "-m", "tests.support.counting", database_url, group, "7"]
    killed = 0
    while True:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        if killed < 5:
            time.sleep(0.15 + 0.05 * killed)
            child.kill()
            killed += 1
        last = child.stdout.read()
        child.stdout.close()
        if child.wait() != -signal.SIGKILL:
            break
    assert last == "done\n"
    assert killed == 5
    assert stored_rows(database_url, group) == expected_rows([log_of(7, partition) for partition in range(PARTITIONS)])
    assert sum(row[0] + row[1] for row in stored_rows(database_url, group).values()) == PARTITIONS * RECORDS


def test_an_event_within_the_grace_is_counted_and_a_later_one_is_dropped(
    state: State, database_url: str, group: str
) -> None:
    latest = START + 10 * MINUTE
    log = [Act(latest), Act(latest - MINUTE), Act(latest - MINUTE - 1)]
    run(state, analytics.roll_up, 0, log, first=0)
    rows = stored_rows(database_url, group)
    assert rows[0, latest - MINUTE, "view"][:2] == (1, 0)
    assert rows[0, latest - 2 * MINUTE, "view"][:2] == (0, 1)


@pytest.mark.parametrize("header", ["headrace-replay", "headrace-attempts", "headrace-origin-topic"])
def test_an_event_that_comes_again_is_never_late(state: State, database_url: str, group: str, header: str) -> None:
    run(state, analytics.roll_up, 0, [Act(START + 60 * MINUTE), Act(START, headers={header: b"1"})], first=0)
    assert stored_rows(database_url, group)[0, START, "view"][:2] == (1, 0)


def test_an_event_far_ahead_of_its_record_is_rejected_by_name_and_moves_nothing(
    state: State, database_url: str, group: str
) -> None:
    log = [Act(START), Act(START + 5 * MINUTE + 1, timestamp_ms=START // 1000), Act(START + 1)]
    with pytest.raises(RejectSome, match="offset 1: occurred_at is more than 5 minutes ahead") as caught:
        run(state, analytics.roll_up, 0, log, first=0)
    assert caught.value.offsets == (1,)
    assert stored_rows(database_url, group) == {}
    assert state.start(position(0)) == 0


def test_exactly_five_minutes_ahead_is_still_believed(state: State, database_url: str, group: str) -> None:
    run(state, analytics.roll_up, 0, [Act(START + 5 * MINUTE, timestamp_ms=START // 1000)], first=0)
    assert stored_rows(database_url, group)[0, START + 5 * MINUTE, "view"][0] == 1


def test_values_that_cannot_be_right_are_rejected_with_their_offsets(state: State) -> None:
    log = [Act(START, duration_ms=-1), Act(START), Act(-1, timestamp_ms=START // 1000)]
    with pytest.raises(RejectSome) as caught:
        run(state, analytics.roll_up, 0, log, first=0)
    assert caught.value.reasons == {0: "duration_ms is negative", 2: "occurred_at lies before 1970"}


def test_an_event_on_a_minute_belongs_to_the_window_it_begins(state: State, database_url: str, group: str) -> None:
    run(state, analytics.roll_up, 0, [Act(START + MINUTE - 1), Act(START + MINUTE)], first=0)
    assert sorted(stored_rows(database_url, group)) == [(0, START, "view"), (0, START + MINUTE, "view")]
