"""Suspects run in child processes, whatever the agent's executor: a death there costs the record that ran."""

import sqlite3
import subprocess
import sys
import time

import pytest

from consumers.runtime.chunk import Purpose
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


def suspect(bench, wish, *, offset=0):
    """The outcome of one such order, run alone."""
    bench.submit([order_record(bench.kit, offset, wish=wish)], Purpose.ALONE)
    (outcome,) = bench.result()
    return outcome


@pytest.mark.parametrize("name", IN_THE_WORKER)
@pytest.mark.parametrize(
    ("wish", "ended"), [("segfault", "by signal 11"), ("killed", "by signal 9"), ("die:3", "with exit code 3")]
)
def test_a_suspect_that_kills_its_process_is_told_by_how_it_died(bench, name, wish, ended):
    one = bench(name)
    outcome = suspect(one, wish)
    assert (outcome.kind, outcome.message) == ("died", f"the handler's process ended {ended}")
    assert isinstance(suspect(one, "ok"), Handled), "the next one has a child of its own"


@pytest.mark.parametrize("name", IN_THE_WORKER)
def test_an_innocent_suspect_gives_the_same_bytes_as_in_the_worker(bench, name):
    one = bench(name)
    record = order_record(one.kit, 0)
    one.submit([record])
    (in_the_worker,) = one.result()
    one.submit([record], Purpose.ALONE)
    (in_a_child,) = one.result()
    assert in_a_child.results[0].value == in_the_worker.results[0].value
    assert one.kit.codec.decode(in_a_child.results[0].value, OrderConfirmed).order_id == "o0"


def test_a_suspect_has_its_deadline_where_the_worker_could_not_end_it(bench):
    assert suspect(bench("inline"), "hang").kind == "deadline"


@pytest.mark.parametrize("name", IN_THE_WORKER)
def test_of_several_suspects_in_one_chunk_only_the_one_that_ran_is_charged(bench, name):
    one = bench(name)
    wishes = ["ok", "ok", "segfault", "ok"]
    records = [order_record(one.kit, at, wish=wish, key=b"k%d" % at) for at, wish in enumerate(wishes)]
    one.submit(records, Purpose.ALONE)
    first, second, killer, behind = one.result()
    assert isinstance(first, Handled)
    assert isinstance(second, Handled)
    assert isinstance(killer, Failed)
    assert killer.kind == "died"
    assert isinstance(behind, Held), "it is tried again, at no cost"


def test_the_worker_goes_on_while_suspects_run(bench):
    one = bench("threads")
    suspected = one.submit([order_record(one.kit, 0, wish="slow:0.5", key=b"a")], Purpose.ALONE)
    other = one.submit([order_record(one.kit, 1, key=b"b")])
    assert isinstance(one.result()[0], Handled)
    assert (other.answered, suspected.answered) == (True, False)
    assert isinstance(one.result()[0], Handled)


def test_a_suspect_that_nobody_waits_for_any_more_ends_with_its_child(bench):
    one = bench("threads")
    hanging = one.submit([order_record(one.kit, 0, wish="hang")], Purpose.ALONE)
    eventually(lambda: hanging.started_s > 0)
    one.executor.cancel(hanging)
    assert isinstance(suspect(one, "ok"), Handled)
    assert hanging.outcomes == [None]


def test_children_end_when_no_suspect_comes_any_more(bench):
    one = bench("threads")
    suspect(one, "ok")
    children = one.executor._children
    now_s = time.monotonic()
    one.executor.expire(now_s)
    one.executor.expire(now_s + 11.0)
    eventually(lambda: not any(keeper.thread.is_alive() for keeper in children._keepers))
    assert isinstance(suspect(one, "ok"), Handled), "the next suspect starts others"


def test_where_no_child_can_start_suspects_run_in_the_worker(tmp_path, monkeypatch, bench):
    """Of a module that was imported here, and no longer can be in a process of its own."""
    monkeypatch.setenv("SHOP_BROKEN", str(tmp_path / "broken"))
    one = bench("brittle", catalogue="tests.support.troubles")
    (tmp_path / "broken").touch()
    assert suspect(one, "ok") == Held(), "handed back: nothing was tried"
    assert isinstance(suspect(one, "ok"), Handled)


@pytest.mark.parametrize(("wish", "came_to"), [("ok", Handled), ("segfault", Failed)])
def test_of_an_exact_agents_trial_nothing_is_kept(tmp_path, wish, came_to):
    desk = ExactDesk(f"sqlite:///{tmp_path}/headrace.db")
    try:
        desk.assignment.suspects.charge(0, 1)
        desk.deliver(0, wish=wish)
        desk.dispatch.hand_over([desk.assignment])
        trial = eventually(lambda: desk.back.get_nowait() if not desk.back.empty() else None)
        assert trial.chunk.purpose is Purpose.TRIAL
        assert isinstance(trial.outcomes[0], came_to)
        assert (desk.rows(), desk.state.start(desk.position), desk.assignment.stored) == ([], 0, 0)
    finally:
        desk.close()


def test_what_has_lived_through_its_trial_is_stored_once(tmp_path):
    desk = ExactDesk(f"sqlite:///{tmp_path}/headrace.db")
    try:
        desk.assignment.suspects.charge(1, 1)
        desk.deliver(0, 1, 2, 3)
        desk.until(lambda: len(desk.outcomes) == 4)
        assert desk.rows() == ["o0", "o1", "o2", "o3"]
        assert (desk.state.start(desk.position), desk.assignment.stored) == (4, 4)
        assert desk.trials == 2
    finally:
        desk.close()


def test_a_trial_that_waits_for_a_locked_database_does_not_run_yet(tmp_path):
    """Three trials that had waited past their deadline would have been an innocent record's dead letter."""
    desk = ExactDesk(f"sqlite:///{tmp_path}/headrace.db", deadline_s=0.5)
    stranger = sqlite3.connect(tmp_path / "headrace.db", isolation_level=None)
    try:
        desk.assignment.suspects.charge(0, 1)
        desk.deliver(0)
        stranger.execute("BEGIN IMMEDIATE")
        desk.dispatch.hand_over([desk.assignment])
        keepers = desk.executor._children._keepers
        eventually(lambda: any(keeper.child is not None and keeper.parcels for keeper in keepers))
        time.sleep(3 * desk.agent.deadline_s)
        stranger.execute("ROLLBACK")
        trial = eventually(lambda: desk.back.get_nowait() if not desk.back.empty() else None)
        assert isinstance(trial.outcomes[0], Handled)
    finally:
        stranger.close()
        desk.close()


FIRST_BATCH = """
import sys
from consumers.runtime.batch_work import BatchWork
from consumers.runtime.chunk import Chunk
from consumers.runtime.local import agent_named
from tests.support.kits import Owner, order_record, shop_kit

kit = shop_kit(catalogue="tests.support.crashing")
work = BatchWork(agent_named(kit, "of-many"), kit, state=None)
chunk = Chunk(Owner(), 0, [order_record(kit, 0)], key_of=lambda record: record.key)
before = set(sys.modules)
work.perform(chunk)
print(type(chunk.outcomes[0]).__name__, *sorted(set(sys.modules) - before))
"""


def test_the_first_batch_of_a_process_imports_no_library(tmp_path):
    """It took polars 0.3 to 0.9 s of an innocent record's deadline, in every child anew: three such, and it was a dead letter."""
    environment = {"SHOP_LEDGER": str(tmp_path / "ledger"), "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_BATCH], env=environment, capture_output=True, text=True, check=True
    )
    outcome, *imported = done.stdout.split()
    assert outcome == "Handled"
    assert {name.partition(".")[0] for name in imported} <= {"schemas", *sys.stdlib_module_names}
