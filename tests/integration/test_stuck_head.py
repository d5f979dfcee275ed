"""A record that waits for ever: how much is finished behind it, and what comes when it is released."""

import threading

import pytest

from consumers.context import Context
from consumers.errors import Retry, Unavailable
from consumers.runtime.agent import RetryPolicy
from tests.support.flows import Flow, eventually
from tests.support.shop import handlers
from tests.support.shop.records import OrderConfirmed, OrderPlaced

MOST = 50
ORDERS = [(f"o{number:04}", "ok") for number in range(2_000)]


@pytest.fixture
def narrow(settings, make_topic):
    """The shop's topics with one partition."""
    flow = Flow(settings, make_topic, partitions=1)
    yield flow
    flow.sender.close()


@pytest.fixture
def released(monkeypatch):
    """Until this is set, the order called "head" waits for what is unavailable."""
    made, confirm = threading.Event(), handlers.confirm

    def waiting(order: OrderPlaced, context: Context) -> OrderConfirmed | None:
        if order.order_id == "head" and not made.is_set():
            raise Unavailable("warehouse", "no answer")
        return confirm(order, context)

    monkeypatch.setattr(handlers, "confirm", waiting)
    return made


def test_behind_a_record_that_waits_for_ever_the_work_is_bounded_and_goes_on_when_it_is_released(narrow, released):
    narrow.place(("head", "ok"), *ORDERS)
    patient = RetryPolicy(attempts=10_000, first_delay_s=0.05, max_delay_s=0.2)
    with narrow.running("threads", max_in_flight=MOST, retry=patient) as runner:
        eventually(lambda: len(narrow.read(narrow.confirmed)) > MOST)
        eventually(lambda: runner.in_hand == 1 and any(a.backed_up for a in runner.membership.assignments.values()))
        assert len(narrow.read(narrow.confirmed)) <= 10 * MOST
        assert narrow.committed("threads") == {0: 0}
        released.set()
        eventually(lambda: narrow.lag("threads") == 0)
    results = [narrow.kit.codec.decode(message.value(), OrderConfirmed) for message in narrow.read(narrow.confirmed)]
    assert sorted(result.order_id for result in results) == ["head", *(order_id for order_id, _ in ORDERS)]
    assert narrow.crashes == []


def test_a_key_that_waits_for_an_hour_pauses_its_own_partition_alone(settings, make_topic, monkeypatch):
    """At a low rate, at which what waits is soon more than the work of four seconds."""
    flow, confirm = Flow(settings, make_topic, partitions=2), handlers.confirm

    def waiting(order: OrderPlaced, context: Context) -> OrderConfirmed | None:
        if order.order_id == "patient":
            raise Retry("not yet", after_s=3600.0)
        return confirm(order, context)

    monkeypatch.setattr(handlers, "confirm", waiting)
    with flow.running("threads", max_in_flight=2_000) as runner:
        flow.place(*[("patient", "ok")] * 1_500)
        owned = runner.membership.assignments
        eventually(lambda: any(a.backed_up for a in owned.values()))
        flow.place(*[(f"o{number:03}", "ok") for number in range(100)])
        (paused,) = [a.partition for a in owned.values() if a.backed_up]
        theirs = {m.key() for m in flow.read(flow.placed) if m.partition() != paused}
        assert len(theirs) > 10
        eventually(lambda: {m.key() for m in flow.read(flow.confirmed)} >= theirs)
        assert runner.in_hand < 2_000
    flow.sender.close()
