"""A batch that was given up: nothing of it is stored when it ends late, and its records count once."""

import sqlite3
import threading

import pytest

from consumers.runtime.record import Failed, Handled, Held
from tests.support.desks import ExactDesk
from tests.support.flows import eventually
from tests.support.shop import counting

IDS = ["o0", "o1", "o2"]


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request, tmp_path):
    if request.param == "postgres":
        return request.getfixturevalue("empty_postgres_url")
    return f"sqlite:///{tmp_path}/headrace.db"


class Gate:
    """A batch handler whose first call writes its rows, hangs until it is let go, and may then fail."""

    def __init__(self):
        self.calls, self.error = 0, None
        self.let_go = threading.Event()
        self._count = counting.count

    def __call__(self, orders, context):
        self.calls += 1
        self._count(orders, context)
        if self.calls == 1:
            self.let_go.wait()
            if self.error is not None:
                raise self.error


@pytest.fixture
def gate(monkeypatch):
    made = Gate()
    monkeypatch.setattr(counting, "count", made)
    yield made
    made.let_go.set()


@pytest.fixture
def desk(gate, database_url):
    made = ExactDesk(database_url, deadline_s=1.0)
    made.deliver(0, 1, 2)
    yield made
    gate.let_go.set()
    made.close()


def test_a_batch_that_fails_after_its_deadline_is_not_halved_any_more(desk, gate):
    gate.error = KeyError("article")
    desk.until(lambda: desk.failed)
    gate.let_go.set()
    eventually(lambda: desk.executor.hung == 0)
    assert gate.calls == 1
    assert desk.rows() == []


def test_a_batch_that_ends_after_its_deadline_stores_nothing_and_its_retry_counts_once(desk, gate):
    desk.until(lambda: desk.failed)
    assert {outcome.kind for outcome in desk.outcomes if isinstance(outcome, Failed)} == {"deadline"}
    gate.let_go.set()
    eventually(lambda: desk.executor.hung == 0)
    assert gate.calls == 1
    assert desk.rows() == []
    assert desk.state.start(desk.position) == desk.assignment.stored == 0
    desk.outcomes.clear()
    desk.assignment.lanes.put_back(desk.failed)
    desk.until(lambda: len(desk.outcomes) == 3)
    assert all(isinstance(outcome, Handled) for outcome in desk.outcomes)
    assert desk.rows() == IDS
    assert desk.state.start(desk.position) == 3


def test_waiting_for_a_locked_database_is_no_fault_of_the_records_and_no_hung_handler(gate, tmp_path):
    gate.let_go.set()
    desk = ExactDesk(f"sqlite:///{tmp_path}/headrace.db", deadline_s=0.5)
    stranger = sqlite3.connect(tmp_path / "headrace.db", isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    desk.deliver(0, 1)
    desk.until(lambda: desk.failed)
    assert [type(outcome) for outcome in desk.outcomes] == [Failed, Held]
    assert desk.outcomes[0].kind == "unavailable"
    assert "database is unavailable" in desk.outcomes[0].message
    assert (gate.calls, desk.executor.hung) == (0, 0)
    stranger.execute("ROLLBACK")
    stranger.close()
    eventually(lambda: not desk.executor._usual._given_up)  # it has got its transaction, and has nothing to do in it
    assert gate.calls == 0
    desk.close()
