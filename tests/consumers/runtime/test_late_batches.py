"""A batch that was given up at its deadline and ends late: nothing of it is stored, and its records count once."""

import threading

import pytest

from consumers.runtime.record import Failed, Handled
from consumers.runtime.state import State
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
    """A batch handler whose first call writes its rows and then hangs until it is let go."""

    def __init__(self):
        self.written, self.let_go = threading.Event(), threading.Event()
        self._count = counting.count

    def __call__(self, orders, context):
        self._count(orders, context)
        if not self.written.is_set():
            self.written.set()
            self.let_go.wait()


@pytest.fixture
def gate(monkeypatch):
    made = Gate()
    monkeypatch.setattr(counting, "count", made)
    yield made
    made.let_go.set()


@pytest.fixture
def desk(gate, database_url):
    made = ExactDesk(State(database_url, group="counting"), deadline_s=1.0)
    made.deliver(0, 1, 2)
    yield made
    gate.let_go.set()
    made.close()


def test_a_batch_that_ends_after_its_deadline_stores_nothing_and_its_retry_counts_once(desk, gate):
    desk.until(lambda: desk.failed)
    assert {outcome.kind for outcome in desk.outcomes if isinstance(outcome, Failed)} == {"deadline"}
    gate.let_go.set()
    eventually(lambda: desk.executor.hung == 0)
    assert gate.written.is_set()
    assert desk.rows() == []
    assert desk.state.start(desk.position) == desk.assignment.stored == 0
    desk.outcomes.clear()
    desk.assignment.lanes.put_back(0, desk.failed)
    desk.until(lambda: len(desk.outcomes) == 3)
    assert all(isinstance(outcome, Handled) for outcome in desk.outcomes)
    assert desk.rows() == IDS
    assert desk.state.start(desk.position) == 3
