"""What a child process leaves when it ends: a death, or a deadline, costs the record that ran, and no other."""

import os
import random
import signal
import time
from contextlib import suppress

import msgspec
import pytest

from consumers.runtime.executors.processes import Processes
from consumers.runtime.record import Failed, Handled, Held
from tests.support.flows import eventually
from tests.support.kits import Bench, order_record

MANY = 200
AT = 120


@pytest.fixture
def bench():
    made = []

    def make(name="processes", **changes):
        made.append(Bench(name, **changes))
        return made[-1]

    yield make
    for each in made:
        each.executor.close(2.0)


def children(one):
    return [keeper.child for keeper in one.executor._keepers if keeper.child is not None]


def types(outcomes):
    return [type(outcome) for outcome in outcomes]


@pytest.mark.parametrize("wish", ["killed", "die:11", "segfault"])
@pytest.mark.parametrize("others", ["nothing", "ok", "bug"])
def test_of_a_chunk_the_record_that_the_child_died_of_is_charged(bench, wish, others):
    one = bench()
    wishes = [others] * MANY
    wishes[AT] = wish
    outcomes = one.run(*wishes)
    finished = Failed if others == "bug" else Handled
    assert types(outcomes) == [finished] * AT + [Failed] + [Held] * (MANY - AT - 1)
    assert outcomes[AT].kind == "died"
    assert {outcome.kind for outcome in outcomes[:AT] if others == "bug"} <= {"unexpected"}
    assert types(one.run("ok", "ok")) == [Handled, Handled]


def test_a_record_that_hangs_in_the_middle_of_a_chunk_is_ended_at_its_own_deadline(bench):
    one = bench()
    wishes = ["slow:0.004"] * MANY  # together close to the deadline
    wishes[AT] = "hang"
    outcomes = one.run(*wishes)
    assert types(outcomes) == [Handled] * AT + [Failed] + [Held] * (MANY - AT - 1)
    assert outcomes[AT].kind == "deadline"


def test_a_chunk_may_take_longer_than_the_deadline_of_its_records(bench):
    assert types(bench().run(*["slow:0.3"] * 6)) == [Handled] * 6


def test_children_that_are_killed_between_chunks_cost_nothing(bench):
    one = bench()
    eventually(lambda: len(children(one)) == 2)
    for child in children(one):
        os.kill(child._process.pid, signal.SIGKILL)
    for number in range(4):
        one.submit([order_record(one.kit, number)])
    assert [types(one.result()) for _ in range(4)] == [[Handled]] * 4


def test_whenever_children_are_killed_every_chunk_comes_back(bench):
    """Once a child that died between two looks at it was closed while it still had a chunk."""
    one, draw = bench(), random.Random(4)
    sent, back = 0, 0
    for _ in range(10):
        eventually(lambda: any(children(one)))
        for _ in range(draw.randrange(1, 5)):
            one.submit([order_record(one.kit, sent, wish="nothing")] * draw.randrange(1, 50))
            sent += 1
        time.sleep(draw.random() * 0.01)
        for child in children(one):
            if draw.random() < 0.7:
                with suppress(ProcessLookupError, ValueError):  # it was killed before, and nobody has noticed yet
                    os.kill(child._process.pid, signal.SIGKILL)
        while back < sent:
            assert {type(outcome) for outcome in one.result()} <= {Handled, Failed, Held}
            back += 1
    assert one.executor.broken is None
    assert types(one.run("ok")) == [Handled]


def test_a_child_that_dies_between_two_looks_at_it_is_not_closed_while_it_has_a_chunk(bench, monkeypatch):
    see_through, killed = Processes._see_through, []

    def then_kill(self, parcel, keeper, child):
        see_through(self, parcel, keeper, child)
        if keeper.parcels and not killed:
            killed.append(child)
            child.kill()
            eventually(lambda: not child.alive)

    monkeypatch.setattr(Processes, "_see_through", then_kill)
    one = bench()
    for number in range(6):
        one.submit([order_record(one.kit, number, wish="slow:0.1", key=b"%d" % number)])
    came_to = [type(outcome) for _ in range(6) for outcome in one.result()]
    assert came_to.count(Handled) >= 5  # of six: the child may have begun with the one that it died of
    assert killed
    assert one.executor.broken is None


def test_what_waits_behind_a_record_that_kills_is_not_charged_with_it(bench):
    one = bench()
    wishes = ["segfault", "segfault", "ok", "ok"]
    for number, wish in enumerate(wishes):
        one.submit([order_record(one.kit, number, wish=wish, key=wish.encode())])
    assert one.executor.free == 0
    came_to = [one.result()[0] for _ in wishes]
    assert sorted(type(outcome).__name__ for outcome in came_to) == ["Failed", "Failed", "Handled", "Handled"]


def test_what_waits_behind_a_record_that_hangs_goes_to_another_child(bench):
    one = bench()
    eventually(lambda: len(children(one)) == 2)
    hanging = one.submit([order_record(one.kit, 0, wish="hang", key=b"a")])
    others = [one.submit([order_record(one.kit, number, key=b"b")]) for number in (1, 2, 3)]
    assert [types(one.result()) for _ in others] == [[Handled]] * 3
    assert not hanging.answered
    assert one.result()[0].kind == "deadline"


def test_a_chunk_that_waits_is_called_back_without_a_kill(bench):
    one = bench()
    eventually(lambda: len(children(one)) == 2)
    before = [child._process.pid for child in children(one)]
    slow = [one.submit([order_record(one.kit, number, wish="slow:0.5")]) for number in (0, 1)]
    eventually(lambda: all(chunk.started_s for chunk in slow))
    one.executor.cancel(one.submit([order_record(one.kit, 2)]))
    assert [types(one.result()) for _ in slow] == [[Handled]] * 2
    assert [child._process.pid for child in children(one)] == before
    assert one.back.empty()


def test_what_ran_beside_a_chunk_that_is_called_back_is_not_charged(bench):
    one = bench()
    eventually(lambda: len(children(one)) == 2)
    hanging = [one.submit([order_record(one.kit, number, wish="hang")]) for number in (0, 1)]
    waiting = [one.submit([order_record(one.kit, number)]) for number in (2, 3)]
    eventually(lambda: all(chunk.started_s for chunk in hanging))
    for chunk in hanging:
        one.executor.cancel(chunk)
    assert [types(one.result()) for _ in waiting] == [[Handled]] * 2


@pytest.mark.parametrize("wishes", [["large:1000000"] * 5 + ["ok"], ["large:100000"] * 60])
def test_results_that_are_more_than_the_shared_memory_come_through(bench, wishes):
    outcomes = bench().run(*wishes)
    sizes = [len(outcome.results[0].value) for outcome in outcomes]
    assert [size > 90_000 for size in sizes] == [wish != "ok" for wish in wishes]


def test_of_results_by_the_pipe_those_before_a_death_are_kept(bench):
    wishes = ["large:100000"] * 60
    wishes[50] = "killed"
    outcomes = bench().run(*wishes)
    assert types(outcomes) == [Handled] * 50 + [Failed] + [Held] * 9
    assert {len(outcome.results[0].value) > 90_000 for outcome in outcomes[:50]} == {True}


def test_a_chunk_that_is_more_than_the_shared_memory_comes_through(bench):
    one = bench()
    for number in range(4):
        small = order_record(one.kit, number)
        one.submit([msgspec.structs.replace(small, headers=(("x", bytes(3_000_000)),)), small])
    assert [types(one.result()) for _ in range(4)] == [[Handled, Handled]] * 4


def test_values_whose_decoding_kills_the_child_are_decoded_one_by_one(bench):
    one = bench("deadly", catalogue="tests.support.troubles")
    assert types(one.run(*["ok"] * 50)) == [Handled] * 50
