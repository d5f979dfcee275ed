"""The handle: settled once, seen by every thread and every event loop."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.errors import DeliveryError, FlushTimeoutError
from producers.receipt import Delivered, Receipt

PLACE = Delivered("t", 1, 2)


def receipt() -> Receipt:
    return Receipt(topic="t", key=None, event_id="e")


def test_a_receipt_gives_the_place_to_every_thread_that_waits() -> None:
    waited, places = receipt(), list[Delivered]()
    threads = [threading.Thread(target=lambda: places.append(waited.result(20))) for _ in range(10)]
    for thread in threads:
        thread.start()
    assert not waited.done
    waited.settle(PLACE)
    for thread in threads:
        thread.join(20)
    assert places == [PLACE] * 10
    assert waited.done


def test_a_receipt_without_an_answer_times_out_and_stays_open() -> None:
    waited = receipt()
    with pytest.raises(FlushTimeoutError, match=r"1 event is still unacknowledged after 0\.01 s") as caught:
        waited.result(0.01)
    assert caught.value.exit_code == 4
    waited.settle(PLACE)
    assert waited.result(0) == ("t", 1, 2)


def test_a_failed_delivery_is_raised_as_often_as_it_is_asked_for() -> None:
    failed = receipt()
    failed.settle(DeliveryError("_MSG_TIMED_OUT", "too late", topic="t", event_id="e"))
    for _ in range(2):
        with pytest.raises(DeliveryError, match="event e was not delivered: too late"):
            failed.result()


@given(before=st.integers(0, 5), after=st.integers(0, 5))
def test_every_callback_is_called_once_whether_it_came_before_or_after(before: int, after: int) -> None:
    called, settled = list[int](), receipt()
    for number in range(before):
        settled.when_done(lambda number=number: called.append(number))
    settled.settle(PLACE)
    for number in range(before, before + after):
        settled.when_done(lambda number=number: called.append(number))
    assert sorted(called) == list(range(before + after))


def test_callbacks_that_race_with_the_answer_are_called_once() -> None:
    for _ in range(300):
        assert sorted(_race()) == [0, 1]


def _race() -> list[int]:
    called, raced, start = list[int](), receipt(), threading.Barrier(3)

    def add(number: int) -> None:
        start.wait()
        raced.when_done(lambda: called.append(number))

    def settle() -> None:
        start.wait()
        raced.settle(PLACE)

    threads = [threading.Thread(target=settle), *(threading.Thread(target=add, args=(n,)) for n in range(2))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return called


def test_a_receipt_is_awaited_while_another_thread_settles_it() -> None:
    async def wait() -> list[Delivered]:
        waited = receipt()
        threading.Timer(0.01, waited.settle, [PLACE]).start()
        return [await waited, await waited]

    assert asyncio.run(wait()) == [PLACE, PLACE]


def test_an_answer_after_the_waiter_was_cancelled_is_kept() -> None:
    waited = receipt()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.ensure_future(_result(waited)), 0.01)
        waited.settle(PLACE)
        await asyncio.sleep(0)

    asyncio.run(give_up())
    assert waited.result() == PLACE


def test_an_answer_after_the_loop_has_ended_is_kept() -> None:
    waited = receipt()

    async def leave() -> None:
        task = asyncio.ensure_future(_result(waited))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave())
    waited.settle(PLACE)
    assert waited.result() == PLACE


async def _result(waited: Receipt) -> Delivered:
    return await waited
