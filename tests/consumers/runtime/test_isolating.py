"""Suspects run in child processes, whatever the agent's executor: a death there costs the record that ran."""

import time

import msgspec
import pytest

from consumers.runtime.record import Failed, Handled, Held
from tests.support.desks import ExactDesk
from tests.support.flows import eventually
from tests.support.kits import Bench, order_record
from tests.support.shop.records import OrderConfirmed

IN_THE_WORKER = ["inline", "threads", "asyncio"]


@pytest.fixture
def bench():
    made = []

    def make(name, **changes):
        made.append(Bench(name, **changes))
        return made[-1]

    yield make
    for each in made:
        each.executor.close(2.0)


def suspects(bench, *wishes, keys=None):
    """Outcomes of one chunk of such orders, each a suspect."""
    keys = keys or [f"k{index}".encode() for index in range(len(wishes))]
    records = [order_record(bench.kit, index, wish=wish, key=keys[index]) for index, wish in enumerate(wishes)]
    bench.submit([msgspec.structs.replace(record, suspect=True) for record in records])
    return bench.result()


@pytest.mark.parametrize("name", IN_THE_WORKER)
@pytest.mark.parametrize(
    ("wish", "ended"), [("segfault", "by signal 11"), ("killed", "by signal 9"), ("die:3", "with exit code 3")]
)
def test_a_suspect_that_kills_its_process_is_told_by_how_it_died_and_costs_no_other(bench, name, wish, ended):
    outcomes = suspects(bench(name), "ok", wish, "ok")
    assert [type(outcome) for outcome in outcomes] == [Handled, Failed, Held]
    assert (outcomes[1].kind, outcomes[1].message) == ("died", f"the handler's process ended {ended}")


@pytest.mark.parametrize("name", IN_THE_WORKER)
def test_an_innocent_suspect_gives_the_same_bytes_as_in_the_worker(bench, name):
    one = bench(name)
    record = order_record(one.kit, 0)
    one.submit([record])
    (in_the_worker,) = one.result()
    one.submit([msgspec.structs.replace(record, suspect=True)])
    (in_a_child,) = one.result()
    assert in_a_child.results[0].value == in_the_worker.results[0].value
    assert one.kit.codec.decode(in_a_child.results[0].value, OrderConfirmed).order_id == "o0"


def test_a_suspect_has_its_deadline_where_the_worker_could_not_end_it(bench):
    (outcome,) = suspects(bench("inline"), "hang")
    assert outcome.kind == "deadline"


def test_the_worker_goes_on_while_suspects_run(bench):
    one = bench("threads")
    suspect = msgspec.structs.replace(order_record(one.kit, 0, wish="slow:0.9", key=b"a"), suspect=True)
    suspected, other = one.submit([suspect]), one.submit([order_record(one.kit, 1, key=b"b")])
    assert isinstance(one.result()[0], Handled)
    assert (other.answered, suspected.answered) == (True, False)
    assert isinstance(one.result()[0], Handled)


def test_children_end_when_no_suspect_comes_any_more(bench):
    one = bench("threads")
    suspects(one, "ok")
    children = one.executor._children
    now_s = time.monotonic()
    one.executor.expire(now_s)
    one.executor.expire(now_s + 11.0)
    eventually(lambda: not any(keeper.is_alive() for keeper in children._keepers))
    assert isinstance(suspects(one, "ok")[0], Handled), "the next suspect starts others"


def test_where_no_child_can_start_suspects_run_in_the_worker(tmp_path, monkeypatch, bench):
    """Of a module that was imported here, and no longer can be in a process of its own."""
    monkeypatch.setenv("SHOP_BROKEN", str(tmp_path / "broken"))
    one = bench("brittle", catalogue="tests.support.troubles")
    (tmp_path / "broken").touch()
    assert suspects(one, "ok", "ok") == [Held(), Held()], "handed back: nothing was tried"
    assert [type(outcome) for outcome in suspects(one, "ok", "ok")] == [Handled, Handled]


def test_a_batch_of_suspects_stores_its_rows_and_its_offset_in_one_transaction_of_the_child(tmp_path):
    desk = ExactDesk(f"sqlite:///{tmp_path}/headrace.db")
    try:
        records = [msgspec.structs.replace(order_record(desk.kit, offset), suspect=True) for offset in range(20)]
        desk.assignment.watermark.deliver(range(20))
        desk.assignment.last_suspect = 19
        desk.assignment.lanes.add(records)
        desk.until(lambda: len(desk.outcomes) == 20)
        assert desk.rows() == [f"o{number}" for number in range(20)]
        assert (desk.state.start(desk.position), desk.assignment.stored) == (20, 20)
    finally:
        desk.close()


def test_a_batch_of_suspects_that_kills_the_child_stores_nothing(tmp_path):
    desk = ExactDesk(f"sqlite:///{tmp_path}/headrace.db")
    try:
        wishes = ["ok", "segfault", "ok"]
        records = [order_record(desk.kit, offset, wish=wish) for offset, wish in enumerate(wishes)]
        desk.assignment.watermark.deliver(range(3))
        desk.assignment.last_suspect = 2
        desk.assignment.lanes.add([msgspec.structs.replace(record, suspect=True) for record in records])
        desk.until(lambda: len(desk.outcomes) == 3)
        assert [outcome.kind for outcome in desk.outcomes if isinstance(outcome, Failed)] == ["died"]
        assert (desk.rows(), desk.state.start(desk.position), desk.assignment.stored) == ([], 0, 0)
    finally:
        desk.close()
