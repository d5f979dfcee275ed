import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers import analytics
from consumers.runtime.state import State
from schemas.event import now_us
from streams import cli
from streams.commands.analytics import sparkline
from tests.support.activity import MINUTE, Act, position, run


@pytest.fixture(autouse=True)
def database_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The command's settings: a database of this test's own."""
    url = f"sqlite:///{tmp_path}/headrace.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADRACE_DATABASE_URL", url)
    monkeypatch.setenv("HEADRACE_PREFIX", "t1.")
    monkeypatch.setenv("COLUMNS", "200")
    return url


@pytest.fixture
def counted(database_url: str) -> Iterator[int]:
    """Two partitions of activity within the last minutes, one event of it dropped; gives the first window's start."""
    start = now_us() // MINUTE * MINUTE - 5 * MINUTE
    state = State(database_url, group="t1.analytics")
    for partition in (0, 1):
        state.begin(position(partition), 0)
    views = [Act(start + second, user=f"u{second}", url="/shop", duration_ms=100) for second in range(1_200)]
    run(state, analytics.roll_up, 0, [*views, Act(start + 4 * MINUTE, "click"), Act(start, "purchase")], first=0)
    run(state, analytics.roll_up, 1, [Act(start + 1, url="/b", duration_ms=300)], first=0)
    yield start
    state.close()


def test_windows_are_printed_merged_over_partitions_with_a_sparkline_a_kind(
    counted: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(cli.root, ["analytics"]) == 0
    out, err = capsys.readouterr()
    view = next(line for line in out.splitlines() if " view " in line).split()
    assert view[1:3] == ["view", "1,201"]
    assert view[-1] == "/shop"
    assert "view      █      1,201 events" in out
    assert "click         █  1 events" in out
    assert err == ""


def test_json_carries_every_field(counted: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(cli.root, ["analytics", "--since", "@-1h", "-o", "json"]) == 0
    rows = {(row["window_start"], row["kind"]): row for row in json.loads(capsys.readouterr().out)}
    view = next(row for (_, kind), row in rows.items() if kind == "view")
    assert view["top_urls"] == [{"url": "/shop", "count": 1200}, {"url": "/b", "count": 1}]
    assert view["duration_max_ms"] == 300
    purchase = next(row for (_, kind), row in rows.items() if kind == "purchase")
    assert (purchase["count"], purchase["dropped"]) == (0, 1)


def test_since_leaves_out_windows_that_had_ended(counted: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(cli.root, ["analytics", "--since", "@-2m", "-o", "jsonl"]) == 0
    assert [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()] == ["click"]


def test_an_empty_database_says_what_to_do(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.run(cli.root, ["analytics"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("no activity since ")
    assert "for group t1.analytics: start the agent (faust -A streams worker --agents analytics)" in err
    assert list(tmp_path.iterdir()) == []


def test_an_empty_database_is_an_empty_list_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(cli.root, ["analytics", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("since", ["@yesterday", "-1h", "@-1y", ""])
def test_a_time_that_is_none_is_a_usage_error(since: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(cli.root, ["analytics", f"--since={since}"]) == 2
    assert "is no time: use start, @-30m" in capsys.readouterr().err


@pytest.mark.parametrize(
    "since", ["start", "@2020-01-01", "@2020-01-01T10:00:00Z", "2020-01-01T10:00:00+02:00", "@-3d"]
)
def test_the_grammar_of_times_is_understood(since: str, counted: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(cli.root, ["analytics", "--since", since, "-o", "jsonl"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_database_that_does_not_answer_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE_URL", "postgresql://user:hidden-word@127.0.0.1:1/headrace")
    assert cli.run(cli.root, ["analytics"]) == 3
    err = capsys.readouterr().err
    assert "database is unavailable" in err
    assert "hidden-word" not in err


def test_a_sparkline_spans_from_nothing_to_the_most() -> None:
    assert sparkline([0, 1, 4, 8]) == " ▁▄█"
    assert sparkline([0, 0]) == "  "
