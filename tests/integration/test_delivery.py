"""Records through an agent on a real broker: handled, published, committed; or dead-lettered with their story."""

import pytest

from consumers.runtime import metadata
from tests.support.flows import Flow, eventually
from tests.support.patience import patiently
from tests.support.shop.records import OrderConfirmed, OrderPlaced


@pytest.fixture
def flow(settings, make_topic):
    made = Flow(settings, make_topic)
    yield made
    made.sender.close()


def headers_of(message):
    return {name: value.decode() for name, value in message.headers()}


@pytest.mark.parametrize("name", ["inline", "threads", "processes", "asyncio"])
def test_every_record_is_handled_its_result_published_and_its_offset_committed(flow, name):
    flow.place(*[(f"o{number}", "ok") for number in range(500)])
    with flow.running(name):
        eventually(lambda: flow.lag(name) == 0)
    results = [flow.kit.codec.decode(message.value(), OrderConfirmed) for message in flow.read(flow.confirmed)]
    assert sorted(result.order_id for result in results) == sorted(f"o{number}" for number in range(500))
    assert flow.crashes == []


def test_a_poison_record_does_not_stop_its_partition(flow):
    dead = flow.make_topic("threads.dlq", partitions=1)
    flow.place(*[(f"o{number}", "bug" if number % 10 == 0 else "ok") for number in range(50)])
    with flow.running("threads") as runner:
        eventually(lambda: flow.lag("threads") == 0)
    letters = flow.read(dead)
    assert len(flow.read(flow.confirmed)) == 45
    assert sorted(message.key() for message in letters) == sorted(f"o{number}".encode() for number in range(0, 50, 10))
    assert {headers_of(message)["headrace-attempts"] for message in letters} == {"3"}
    assert runner.stats.dead_lettered == 5


def test_a_dead_letter_keeps_the_record_byte_for_byte_and_tells_its_story(flow):
    dead = flow.make_topic("threads.dlq", partitions=1)
    flow.sender.send(flow.placed, b"\xc3\x01no such schema", key=b"k", headers=[("traceparent", b"00-ab-cd-01")])
    flow.sender.flush(10)
    with flow.running("threads"):
        eventually(lambda: flow.lag("threads") == 0)
    (letter,) = flow.read(dead)
    story = headers_of(letter)
    assert (letter.key(), letter.value()) == (b"k", b"\xc3\x01no such schema")
    assert letter.headers()[0] == ("traceparent", b"00-ab-cd-01")
    assert (story["headrace-origin-topic"], story["headrace-origin-offset"]) == (flow.placed, "0")
    assert (story["headrace-error-class"], story["headrace-attempts"]) == ("DecodeError", "1")


def test_records_of_one_key_are_handled_in_order_through_retries(flow):
    orders = [
        OrderPlaced(order_id="one", sequence=number, wish="until:3" if number % 7 == 0 else "ok")
        for number in range(30)
    ]
    others = [OrderPlaced(order_id=f"other{number}", sequence=number) for number in range(30)]
    flow.place(*[order for pair in zip(orders, others, strict=True) for order in pair])
    with flow.running("threads"):
        eventually(lambda: flow.lag("threads") == 0)
    results = [flow.kit.codec.decode(message.value(), OrderConfirmed) for message in flow.read(flow.confirmed)]
    assert [result.sequence for result in results if result.order_id == "one"] == list(range(30))
    assert len(results) == 60


def test_an_unreachable_dependency_burns_no_attempt_and_floods_no_dead_letter_topic(flow):
    dead = flow.make_topic("threads.dlq", partitions=1)
    flow.place(("o1", "down"), ("o2", "ok"))
    with flow.running("threads") as runner:
        eventually(lambda: runner.stats.waited >= 6 and runner.stats.results == 1)
    assert flow.read(dead) == []
    assert flow.lag("threads") >= 1


def test_when_the_dead_letter_cannot_be_written_the_source_is_not_committed(flow):
    flow.place(("o1", "reject"))
    with flow.running("threads") as runner:
        eventually(lambda: runner.stats.handled == 0 and runner._settlement._unsent, limit_s=90)
        assert flow.lag("threads") == 1
        flow.make_topic("threads.dlq", partitions=1)
        eventually(lambda: flow.lag("threads") == 0, limit_s=90)
    assert runner.stats.dead_lettered == 1


def test_a_result_too_large_for_its_topic_is_dead_lettered_alone(settings, make_topic):
    flow = Flow(settings, make_topic, max_message_bytes=300_000)
    dead = flow.make_topic("threads.dlq", partitions=1)
    flow.place(("o1", "large:900000"), ("o2", "ok"))
    flow.place(("o3", "ok"))
    with flow.running("threads"):
        eventually(lambda: flow.lag("threads") == 0)
    assert [message.key() for message in flow.read(dead)] == [b"o1"]
    assert sorted(message.key() for message in flow.read(flow.confirmed)) == [b"o2", b"o3"]
    flow.sender.close()


def test_a_tombstone_is_done_without_a_handler(flow):
    flow.sender.send(flow.placed, None, key=b"k")
    flow.sender.flush(10)
    with flow.running("threads") as runner:
        eventually(lambda: flow.lag("threads") == 0)
    assert runner.stats.handled == 0


def test_a_graceful_stop_finishes_what_runs_and_commits_it(flow):
    flow.place(*[(f"o{number}", "slow:0.05") for number in range(200)])
    with flow.running("threads") as runner:
        eventually(lambda: runner.stats.handled > 10)
    handled = len(flow.read(flow.confirmed))
    assert handled < 200
    assert sum(max(0, offset) for offset in flow.committed("threads").values()) == handled
    with flow.running("threads"):
        eventually(lambda: flow.lag("threads") == 0, limit_s=60)
    assert len(flow.read(flow.confirmed)) == 200


@pytest.mark.parametrize("agent", ["threads", "unordered"])
def test_what_is_finished_behind_a_record_that_is_not_is_not_done_again_after_a_restart(flow, agent):
    flow.make_topic("unordered.retry.1s", partitions=1)
    # A millisecond each: briefer ones would come to one thread together with the head, whatever their keys.
    flow.place(("head", "slow:8"), *[(f"o{number:03}", "slow:0.001") for number in range(200)])
    with flow.running(agent, stop_s=2.0, deadline_s=60.0):
        eventually(lambda: beyond(flow, agent) > 20)
    assert flow.lag(agent) > 0, "the head is not finished"
    with flow.running(agent, deadline_s=60.0):
        eventually(lambda: flow.lag(agent) == 0)
    ids = [flow.kit.codec.decode(message.value(), OrderConfirmed).order_id for message in flow.read(flow.confirmed)]
    assert sorted(ids) == ["head", *(f"o{number:03}" for number in range(200))]


def beyond(flow, agent):
    """How many records the group's commits tell to be finished beyond them."""
    commits = patiently(lambda: flow.view.commits(flow.settings.names.group(agent), [flow.placed]))
    return sum(metadata.decode(commit.said).done.count(1) for commit in commits.values())
