"""A partition is read from where it starts: whatever a fetch begins with, nothing is committed over."""

import time

import pytest
from confluent_kafka import OFFSET_END, TopicPartition

from consumers.runtime import membership
from tests.support.flows import Flow, eventually
from tests.support.shop.records import OrderConfirmed


def ids(flow):
    return sorted(flow.kit.codec.decode(m.value(), OrderConfirmed).order_id for m in flow.read(flow.confirmed))


def numbers(first, last):
    return [f"o{number:03}" for number in range(first, last)]


@pytest.mark.slow
@pytest.mark.parametrize("goes_on", [True, False], ids=["records follow", "nothing follows"])
def test_a_fetch_that_begins_behind_what_is_not_handled_is_begun_again(settings, make_topic, monkeypatch, goes_on):
    flow = Flow(settings, make_topic)
    flow.place(*[(name, "ok") for name in numbers(0, 200)])
    begun = set()

    def elsewhere_at_first(topic, partition, offset=-1001, **facts):
        if offset >= 0 and (topic, partition) not in begun and topic == flow.placed:
            begun.add((topic, partition))
            return TopicPartition(topic, partition, OFFSET_END)
        return TopicPartition(topic, partition, offset, **facts)

    monkeypatch.setattr(membership, "TopicPartition", elsewhere_at_first)
    with flow.running("threads"):
        if goes_on:
            time.sleep(1.0)
            flow.place(*[(name, "ok") for name in numbers(200, 210)])
        eventually(lambda: flow.lag("threads") == 0)
    assert begun
    assert ids(flow) == numbers(0, 210 if goes_on else 200)


@pytest.mark.slow
def test_a_start_that_is_known_late_loses_nothing(settings, make_topic, monkeypatch):
    monkeypatch.setattr(membership, "_AT_ONCE_S", 0.0)
    flow = Flow(settings, make_topic)
    flow.place(*[(name, "ok") for name in numbers(0, 200)])
    with flow.running("threads"):
        flow.place(*[(name, "ok") for name in numbers(200, 300)])
        eventually(lambda: flow.lag("threads") == 0)
    assert ids(flow) == numbers(0, 300)
