"""One contract for all executors."""

import threading
import time

import msgspec
import pytest

from consumers.runtime.local import agent_named
from consumers.runtime.record import Failed, Handled, Held
from consumers.runtime.work import Work
from tests.support.flows import eventually
from tests.support.kits import Bench, order_record, shop_kit
from tests.support.shop.records import OrderConfirmed, OrderPlaced

EXECUTORS = ["inline", "threads", "processes", "asyncio"]
WITH_DEADLINE = ["threads", "processes", "asyncio"]


@pytest.fixture
def bench():
    made = []

    def make(name):
        made.append(Bench(name))
        return made[-1]

    yield make
    for each in made:
        each.executor.close(2.0)


@pytest.mark.parametrize("name", EXECUTORS)
def test_results_come_back_encoded_with_the_key_and_id_of_their_source(bench, name):
    one = bench(name)
    record = order_record(one.kit, 3, key=b"customer-1")
    one.submit([record])
    (outcome,) = one.result()
    assert isinstance(outcome, Handled)
    (result,) = outcome.results
    confirmed = one.kit.codec.decode(result.value, OrderConfirmed)
    assert (result.topic, result.key, confirmed.order_id) == ("orders.confirmed", b"customer-1", "o3")
    assert dict(result.headers)["headrace-agent"] == name.encode()


@pytest.mark.parametrize("name", EXECUTORS)
def test_the_same_record_gives_the_same_bytes_again(bench, name):
    one = bench(name)
    record = order_record(one.kit, 1)
    values = []
    for _ in range(2):
        one.submit([record])
        values.append(one.result()[0].results[0].value)
    assert values[0] == values[1]


@pytest.mark.parametrize("name", EXECUTORS)
def test_one_exception_costs_its_own_event_only(bench, name):
    outcomes = bench(name).run("ok", "bug", "ok", "reject:sold out", "exit", "ok", "nothing")
    kinds = [outcome.kind if isinstance(outcome, Failed) else type(outcome).__name__ for outcome in outcomes]
    assert kinds == ["Handled", "unexpected", "Handled", "rejected", "unexpected", "Handled", "Handled"]
    assert outcomes[3].message == "sold out"
    assert "KeyError" in outcomes[1].traceback
    assert outcomes[6].results == ()


@pytest.mark.parametrize("name", EXECUTORS)
def test_after_a_failure_later_records_of_its_key_are_held(bench, name):
    outcomes = bench(name).run("ok", "bug", "ok", "ok", keys=[b"a", b"b", b"b", b"a"])
    assert [type(outcome) for outcome in outcomes] == [Handled, Failed, Held, Handled]


@pytest.mark.parametrize("name", EXECUTORS)
def test_records_that_turn_out_not_to_be_brief_are_held_for_a_chunk_of_their_own(bench, name):
    one = bench(name)
    records = [order_record(one.kit, offset, wish="slow:0.3", key=f"k{offset}".encode()) for offset in range(4)]
    one.submit(records, limit_s=0.59)  # the second sleep never ends before
    assert [type(outcome) for outcome in one.result()] == [Handled, Handled, Held, Held]


@pytest.mark.parametrize("name", EXECUTORS)
def test_undecodable_bytes_are_a_failure_of_their_own_record(bench, name):
    one = bench(name)
    good = order_record(one.kit, 0, key=b"a")
    bad = type(good)("orders.placed", 0, 1, 0, b"b", b"\xc3\x01garbage garbage")
    one.submit([good, bad])
    first, second = one.result()
    assert isinstance(first, Handled)
    assert second.kind == "undecodable"


@pytest.mark.parametrize("name", WITH_DEADLINE)
def test_what_hangs_is_ended_at_its_deadline_and_its_neighbours_keep_their_results(bench, name):
    one = bench(name)
    outcomes = one.run("ok", "hang", "ok")
    assert isinstance(outcomes[0], Handled)
    assert outcomes[1].kind == "deadline"
    assert isinstance(outcomes[2], Held | Handled)
    assert isinstance(one.run("ok")[0], Handled)


def test_a_hanging_thread_is_counted_until_it_ends(bench):
    one = bench("threads")
    one.run("slow:1.5")
    assert one.executor.hung == 1
    one.run("slow:0.75")  # within its deadline, and longer than the first one's half second that is left
    assert one.executor.hung == 0


def test_a_thread_that_was_merely_cancelled_does_not_count_as_hung(bench):
    one = bench("threads")
    for number in range(4):
        one.executor.cancel(one.submit([order_record(one.kit, number, wish="slow:0.5")]))
    assert one.executor.hung == 0
    assert isinstance(one.run("ok")[0], Handled)


def test_the_chunk_after_a_killed_one_is_not_charged_with_its_death(bench):
    one = bench("processes")
    for _ in range(3):
        one.submit([order_record(one.kit, 0, wish="hang", key=b"a")])
        one.submit([order_record(one.kit, 1, wish="hang", key=b"b")])
        assert {one.result()[0].kind, one.result()[0].kind} == {"deadline"}
        one.submit([order_record(one.kit, 2, key=b"c")])
        one.submit([order_record(one.kit, 3, key=b"d")])
        assert [type(one.result()[0]), type(one.result()[0])] == [Handled, Handled]


def test_a_cancellation_that_the_handler_itself_raises_is_its_failure(bench):
    (first, second) = bench("asyncio").run("cancelled", "ok")
    assert (first.kind, first.error_class) == ("unexpected", "CancelledError")
    assert isinstance(second, Handled)


def test_a_process_that_dies_costs_the_record_that_ran(bench):
    one = bench("processes")
    outcomes = one.run("ok", "die:11", "ok")
    assert [type(outcome) for outcome in outcomes] == [Handled, Failed, Held]
    assert outcomes[1].kind == "died"
    assert "exit code 11" in outcomes[1].message
    assert isinstance(one.run("ok")[0], Handled)


def test_a_coroutine_that_blocks_its_loop_is_given_up_and_the_others_are_held(bench):
    one = bench("asyncio")
    one.submit([order_record(one.kit, 0, wish="slow:0.9", key=b"a")])
    one.submit([order_record(one.kit, 1, wish="block:4", key=b"b")])
    outcomes = [one.result()[0], one.result()[0]]
    kinds = {outcome.kind if isinstance(outcome, Failed) else type(outcome).__name__ for outcome in outcomes}
    assert kinds == {"deadline", "Held"}
    assert isinstance(one.run("ok")[0], Handled)


def test_whose_time_another_coroutine_has_taken_is_not_charged_with_it(bench):
    """Nobody looks for what is overdue meanwhile, as on a machine that is too busy for it."""
    one = bench("asyncio")
    begun_s = time.monotonic()
    slow = one.submit([order_record(one.kit, 0, wish="slow:0.5", key=b"a")])
    one.submit([order_record(one.kit, 1, wish="block:2.5", key=b"b")])
    assert [type(one.back.get(timeout=30).outcomes[0]) for _ in range(2)] == [Handled, Handled]
    assert slow.started_s > begun_s + 1.0, "what looks for the overdue would blame it"
    one.submit([order_record(one.kit, 2, wish="slow:60", key=b"c")])
    assert one.back.get(timeout=30).outcomes[0].kind == "deadline"


def test_what_has_blocked_the_loop_runs_aside_at_its_next_attempt_and_holds_nobody_again(bench):
    one = bench("asyncio")
    blocker = order_record(one.kit, 1, wish="block:4", key=b"b")
    one.submit([blocker])
    (outcome,) = one.result()
    assert outcome.kind == "deadline"
    again = one.submit([blocker])
    cancelled = one.submit([blocker])
    one.executor.cancel(cancelled)
    slow = one.submit([order_record(one.kit, 0, wish="slow:0.5", key=b"a")])
    assert isinstance(one.run("ok")[0], Handled)
    assert [one.back.get(timeout=30).chunk for _ in (slow, again)] == [slow, again]
    assert one.executor.running() == []


@pytest.mark.parametrize("name", WITH_DEADLINE)
def test_a_cancelled_chunk_never_comes_back(bench, name):
    one = bench(name)
    chunk = one.submit([order_record(one.kit, 0, wish="slow:0.6")])
    one.executor.cancel(chunk)
    assert isinstance(one.run("ok")[0], Handled)
    assert one.back.empty()
    assert one.executor.running() == []


def test_where_chunks_are_short_one_more_for_each_thread_may_wait_and_a_cancelled_one_never_runs(bench):
    one = bench("threads")
    assert one.executor.free == 4, "nothing is known yet"
    one.run("ok")
    assert one.executor.free == 8
    slow = [one.submit([order_record(one.kit, offset, wish="slow:0.6")]) for offset in range(4)]
    waiting = one.submit([order_record(one.kit, 4, wish="ok")])
    assert one.executor.free == 3
    one.executor.cancel(waiting)
    assert {one.back.get(timeout=30).chunk for _ in slow} == set(slow)
    assert one.back.empty()
    assert waiting.outcomes == [None]
    assert one.executor.free == 4, "chunks are not short any more: a drain would wait for what waits"


@pytest.mark.parametrize("name", EXECUTORS)
def test_of_many_records_that_are_decoded_together_only_the_torn_one_fails(bench, name):
    """The first chunk comes before what decodes together is loaded, the last one after it; nobody sees a difference."""
    one = bench(name)
    records = [order_record(one.kit, number, key=b"k%d" % number) for number in range(40)]
    records[20] = msgspec.structs.replace(records[20], value=records[20].value[:-2])
    for _ in range(3):
        one.submit(records)
        outcomes = one.result()
        assert [number for number, outcome in enumerate(outcomes) if not isinstance(outcome, Handled)] == [20]
        assert outcomes[20].kind == "undecodable"
        eventually(lambda: "decoder" not in {thread.name for thread in threading.enumerate()})


def test_what_was_decoded_for_coroutines_is_not_decoded_again(bench):
    one = bench("asyncio")
    record = order_record(one.kit, 0)
    event = one.kit.codec.decode(record.value, OrderPlaced)
    one.submit([msgspec.structs.replace(record, value=b"no event")], events=[event])
    assert [type(outcome) for outcome in one.result()] == [Handled]


def test_a_handler_that_asks_for_no_context_gets_none():
    kit = shop_kit()
    agent = msgspec.structs.replace(agent_named(kit, "inline"), handler="tests.support.shop.handlers:refuse")
    assert Work(agent, kit).run(order_record(kit, 4)).message == "o4 is refused"
