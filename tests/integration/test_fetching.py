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
            eventually(lambda: len(begun) == 4)
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


def test_a_backlog_that_fills_the_room_at_once_does_not_keep_the_owners_mark_unanswered(
    settings, make_topic, monkeypatch
):
    """Records wait for the broker's answer to the mark, and only a poll hears it: it came when a second later all was paused.

    Here it is ten seconds, and work waits for the mark still longer: no stall of the machine looks like that.
    """
    monkeypatch.setattr("consumers.runtime.flow._PAUSE_LATE_S", 10.0)
    monkeypatch.setattr("consumers.runtime.assignment._MARK_LIMIT_S", 20.0)
    flow = Flow(settings, make_topic, partitions=1)
    flow.place(*[(name, "ok") for name in numbers(0, 900)])
    paused_with = []
    set_pauses = membership.Membership.set_pauses

    def watched(self):
        if self.paused:
            paused_with.append(runner.stats.handled)
        set_pauses(self)

    monkeypatch.setattr(membership.Membership, "set_pauses", watched)
    with flow.running("threads") as runner:
        eventually(lambda: flow.lag("threads") == 0)
    assert 0 not in paused_with
    assert ids(flow) == numbers(0, 900)
