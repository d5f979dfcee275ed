import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from consumers import database
from consumers.database import offsets, source_of
from consumers.errors import Unavailable
from consumers.runtime.state import FencedError, OffsetFormatError, OutboxMessage, Position, State

PLACE = Position("log-1", "t.activity.recorded", 0)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'new' / 'folder' / 'headrace.db'}"


@pytest.fixture
def group() -> str:
    return f"group-{secrets.token_hex(4)}"


@pytest.fixture
def state(database_url: str, group: str) -> Iterator[State]:
    state = State(database_url, group=group)
    yield state
    state.close()


def message(name: str = "one") -> OutboxMessage:
    return OutboxMessage(
        name, "t.activity.rolled-up", b"key", b"\x00value", (("headrace-agent", b"analytics"), ("n", b""))
    )


def test_a_partition_without_a_row_has_no_stored_offset(state: State) -> None:
    assert state.start(PLACE) is None


def test_a_transaction_moves_the_stored_offset(state: State) -> None:
    state.begin(PLACE, 5)
    with state.transaction(PLACE, expected=5, following=9):
        pass
    assert state.start(PLACE) == 9


def test_beginning_again_leaves_the_stored_offset_where_it_stands(state: State) -> None:
    state.begin(PLACE, 5)
    state.begin(PLACE, 0)
    assert state.start(PLACE) == 5


def test_an_offset_that_no_longer_fits_is_replaced_only_where_it_still_stands(state: State) -> None:
    state.begin(PLACE, 5)
    state.begin(PLACE, 100, replacing=4)
    assert state.start(PLACE) == 5
    state.begin(PLACE, 100, replacing=5)
    assert state.start(PLACE) == 100


def test_groups_logs_and_partitions_have_offsets_of_their_own(state: State, database_url: str) -> None:
    others = [Position("log-2", PLACE.topic, 0), Position("log-1", "t.other", 0), Position("log-1", PLACE.topic, 1)]
    state.begin(PLACE, 5)
    assert [state.start(other) for other in others] == [None, None, None]
    stranger = State(database_url, group=f"other-{secrets.token_hex(4)}")
    assert stranger.start(PLACE) is None
    stranger.close()


def test_a_transaction_knows_whose_records_it_covers(state: State, group: str) -> None:
    state.begin(PLACE, 5)
    with state.transaction(PLACE, expected=5, following=6) as connection:
        source = source_of(connection)
    assert (source.group, source.topic_id, source.topic, source.partition) == (group, "log-1", PLACE.topic, 0)


def test_an_exception_takes_the_offset_and_the_outbox_back(state: State) -> None:
    state.begin(PLACE, 5)

    def fail() -> None:
        with state.transaction(PLACE, expected=5, following=9) as connection:
            state.enqueue(connection, [message()])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert state.start(PLACE) == 5
    assert state.pending(10) == []


def test_the_handlers_own_errors_pass_through_unchanged(state: State) -> None:
    state.begin(PLACE, 5)
    with pytest.raises(ConnectionResetError), state.transaction(PLACE, expected=5, following=9):
        raise ConnectionResetError


def test_of_two_writers_the_second_is_refused_and_leaves_no_trace(state: State, database_url: str, group: str) -> None:
    state.begin(PLACE, 5)
    loser = State(database_url, group=group)
    with state.transaction(PLACE, expected=5, following=9) as connection:
        state.enqueue(connection, [message("winner")])
    with (
        pytest.raises(FencedError, match=r"t\.activity\.recorded \[0\] was moved on from 5"),
        loser.transaction(PLACE, expected=5, following=7) as connection,
    ):
        loser.enqueue(connection, [message("loser")])
    assert [waiting.id for waiting in state.pending(10)] == ["winner"]
    assert loser.start(PLACE) == 9
    loser.close()


def test_two_writers_at_once_do_not_both_succeed(database_url: str, group: str) -> None:
    states = [State(database_url, group=group) for _ in range(2)]
    states[0].begin(PLACE, 0)
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def write(state: State) -> None:
        together.wait()
        try:
            with state.transaction(PLACE, expected=0, following=1):
                pass
            outcomes.append("written")
        except FencedError:
            outcomes.append("fenced")

    threads = [threading.Thread(target=write, args=(state,)) for state in states]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for state in states:
        state.close()
    assert sorted(outcomes) == ["fenced", "written"]


def test_an_offset_row_of_another_version_is_refused(state: State, database_url: str, group: str) -> None:
    state.begin(PLACE, 5)
    with state.plain() as connection:
        connection.execute(sa.update(offsets).where(offsets.c.group_name == group).values(format=2))
    with pytest.raises(OffsetFormatError, match="has format 2, and this version of Headrace knows format 1"):
        state.start(PLACE)
    with pytest.raises(FencedError), state.transaction(PLACE, expected=5, following=6):
        pass


def test_a_message_enqueued_twice_is_published_once_even_after_it_was_published(state: State) -> None:
    with state.plain() as connection:
        state.enqueue(connection, [message(), message()])
    assert state.pending(10) == [message()]
    state.published(["one"])
    with state.plain() as connection:
        state.enqueue(connection, [message()])
    assert state.pending(10) == []


def test_pending_messages_come_oldest_first_and_no_more_than_asked_for(state: State) -> None:
    with state.plain() as connection:
        state.enqueue(connection, [message(name) for name in ("c", "a", "b")])
    assert [waiting.id for waiting in state.pending(2)] == ["c", "a"]
    state.published(["a", "c"])
    assert [waiting.id for waiting in state.pending(2)] == ["b"]


def test_groups_do_not_see_each_others_messages(state: State, database_url: str) -> None:
    stranger = State(database_url, group=f"other-{secrets.token_hex(4)}")
    with state.plain() as connection:
        state.enqueue(connection, [message()])
    with stranger.plain() as connection:
        stranger.enqueue(connection, [message()])
    stranger.published(["one"])
    assert [waiting.id for waiting in state.pending(10)] == ["one"]
    stranger.close()


def test_processes_may_create_the_tables_at_the_same_time(tmp_path: Path, empty_postgres_url: str) -> None:
    code = "import sys; from consumers.runtime.state import State; state = State(sys.argv[1], group='g'); state.prepare(); state.close()"
    for url in (f"sqlite:///{tmp_path}/x/headrace.db", empty_postgres_url):
        started = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(4)]
        assert [process.wait(60) for process in started] == [0] * 4


def test_a_locked_file_is_an_unavailable_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_WAIT_S", 0.05)
    state = State(f"sqlite:///{tmp_path}/headrace.db", group="g")
    stranger = sqlite3.connect(tmp_path / "headrace.db", isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match=r"database is unavailable: .*database is locked"):
        state.begin(PLACE, 0)
    stranger.execute("ROLLBACK")
    stranger.close()
    state.begin(PLACE, 0)
    assert state.start(PLACE) == 0
    state.close()


def test_a_full_disk_is_an_unavailable_database_and_keeps_what_was_there(tmp_path: Path) -> None:
    state = State(f"sqlite:///{tmp_path}/headrace.db", group="g")
    state.begin(PLACE, 5)
    with state.plain() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 20")
    large = OutboxMessage("large", "t", None, b"x" * 1_000_000)
    with (
        pytest.raises(Unavailable, match="database or disk is full"),
        state.transaction(PLACE, expected=5, following=6) as connection,
    ):
        state.enqueue(connection, [large])
    assert state.start(PLACE) == 5
    state.close()


def test_a_folder_that_cannot_be_created_is_an_unavailable_database(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Unavailable, match="file"):
        State(f"sqlite:///{tmp_path}/file/headrace.db", group="g").prepare()


def test_a_file_that_is_no_database_is_an_unavailable_database(tmp_path: Path) -> None:
    (tmp_path / "headrace.db").write_bytes(b"something else entirely " * 100)
    with pytest.raises(Unavailable, match="file is not a database"):
        State(f"sqlite:///{tmp_path}/headrace.db", group="g").prepare()


def test_a_server_that_does_not_answer_is_an_unavailable_database_and_its_password_is_not_shown() -> None:
    with pytest.raises(Unavailable, match="database is unavailable") as caught:
        State("postgresql://user:hidden-word@127.0.0.1:1/headrace", group="g").prepare()
    assert "hidden-word" not in str(caught.value)


def test_a_process_killed_within_a_transaction_leaves_nothing_of_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/headrace.db"
    state = State(url, group="g")
    state.begin(PLACE, 5)
    code = (
        "import sys, time\n"
        "from consumers.runtime.state import *\n"
        "state = State(sys.argv[1], group='g')\n"
        "with state.transaction(Position('log-1', 't.activity.recorded', 0), expected=5, following=9) as connection:\n"
        "    state.enqueue(connection, [OutboxMessage('a', 't', None, b'v')])\n"
        "    print('within', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "within\n"
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert state.start(PLACE) == 5
    assert state.pending(10) == []
    with state.transaction(PLACE, expected=5, following=6):
        pass
    state.close()
