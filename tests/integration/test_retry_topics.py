"""Records of an unordered agent wait in retry topics: outside their partition, in order of their turn, across restarts."""

import time

import pytest

from consumers.runtime import story
from consumers.runtime.agent import RetryPolicy
from consumers.runtime.record import Failed, Record
from schemas import names as wire
from tests.support.flows import Flow, eventually
from tests.support.shop.records import OrderConfirmed, OrderPlaced


@pytest.fixture
def flow(settings, make_topic):
    made = Flow(settings, make_topic, partitions=2)
    for name in ("unordered.retry.1s", "unordered.retry.3s", "threads.retry.0s", "counting.retry.0s"):
        make_topic(name, partitions=2)
    for name in ("unordered.dlq", "threads.dlq", "counting.dlq"):
        make_topic(name, partitions=1)
    yield made
    made.sender.close()


def confirmed(flow):
    return sorted(flow.kit.codec.decode(m.value(), OrderConfirmed).order_id for m in flow.read(flow.confirmed))


def topic(flow, name):
    return flow.read(flow.settings.prefix + name)


def headers_of(message):
    return {name: (value or b"").decode() for name, value in message.headers()}


def test_a_record_that_waits_for_its_retry_holds_no_commit_back(flow):
    flow.make_topic("unordered.retry.1h", partitions=1)
    flow.place(("late", "until:2"), *[(f"o{number:02}", "ok") for number in range(20)])
    with flow.running("unordered", retry=RetryPolicy(topic_delays_s=(3600,))) as runner:
        eventually(lambda: flow.lag("unordered") == 0)
        assert confirmed(flow) == [f"o{number:02}" for number in range(20)]
        eventually(lambda: any(a.resume_s for a in list(runner.membership.assignments.values())))
        assert waiting(flow, "unordered.retry.1h", "unordered") == 1


def test_a_record_is_tried_again_when_its_topic_s_delay_is_over(flow):
    flow.place(("late", "until:2"), *[(f"o{number}", "ok") for number in range(20)])
    with flow.running("unordered") as runner:
        (waiting,) = eventually(lambda: topic(flow, "unordered.retry.1s"))
        eventually(lambda: "late" in confirmed(flow))
        arrived_ms = next(m for m in flow.read(flow.confirmed) if m.key() == b"late").timestamp()[1]
        assert arrived_ms >= waiting.timestamp()[1] + 1_000
    assert len(confirmed(flow)) == 21
    assert runner.stats.retried == 1


def test_each_attempt_waits_in_the_next_topic_and_after_the_last_the_record_is_dead_lettered_with_its_origin(flow):
    flow.place(("poison", "bug"))
    with flow.running("unordered"):
        (letter,) = eventually(lambda: topic(flow, "unordered.dlq"))
    told = headers_of(letter)
    (first,), (second,) = topic(flow, "unordered.retry.1s"), topic(flow, "unordered.retry.3s")
    assert headers_of(first)[wire.ATTEMPTS] == "1"
    assert headers_of(second)[wire.ATTEMPTS] == "2"
    assert (told[wire.ATTEMPTS], told[wire.ORIGIN_TOPIC], told[wire.ORIGIN_OFFSET]) == ("3", flow.placed, "0")
    assert told[wire.FIRST_FAILURE_MS] == headers_of(first)[wire.FIRST_FAILURE_MS]
    (placed,) = flow.read(flow.placed)
    assert (letter.key(), letter.value()) == (placed.key(), placed.value())


def test_a_longer_wish_goes_through_the_topics_by_hops_until_it_is_due(flow):
    def hops():
        told = [headers_of(m) for name in ("3s", "1s") for m in topic(flow, f"unordered.retry.{name}")]
        return [hop for hop in told if hop[wire.ATTEMPTS] == "1"]  # waiting on is no attempt

    # So long that it has to wait on even where its first wait is over seconds late.
    flow.place(("later", "retry:7"))
    began_ms = time.time_ns() // 1_000_000
    with flow.running("unordered"):
        first, second = eventually(lambda: len(hops()) >= 2 and hops()[:2])
    assert int(first[wire.DUE_MS]) >= began_ms + 7_000
    assert first[wire.DUE_MS] == second[wire.DUE_MS]
    assert (first[wire.ERROR_CLASS], second[wire.ERROR_CLASS]) == ("Retry", "Retry")


def test_what_waits_is_still_there_after_a_restart(flow):
    flow.place(*[(f"o{number}", "until:2") for number in range(10)])
    with flow.running("unordered"):
        eventually(lambda: len(topic(flow, "unordered.retry.1s")) == 10)
    with flow.running("unordered"):
        eventually(lambda: len(confirmed(flow)) == 10)
        eventually(lambda: waiting(flow, "unordered.retry.1s", "unordered") == 0)
    assert confirmed(flow) == sorted(f"o{number}" for number in range(10))


def waiting(flow, name, agent):
    """How many records of a retry topic the group has not committed."""
    from consumers.runtime.broker_view import BrokerView

    view, topics = BrokerView(flow.settings), [flow.settings.prefix + name]
    commits, ends = view.commits(flow.settings.names.group(agent), topics), view.ends(topics)
    view.close()
    return sum(high - (commits[place].offset if place in commits else low) for place, (low, high) in ends.items())


def test_many_that_wait_stop_neither_the_live_records_nor_the_commits(flow):
    flow.place(*[(f"w{number:03}", "until:3") for number in range(300)])
    with flow.running("unordered", max_in_flight=50):
        eventually(lambda: flow.lag("unordered") == 0)
        flow.place(*[(f"o{number:03}", "ok") for number in range(300)])
        eventually(lambda: flow.lag("unordered") == 0)
        eventually(lambda: len(confirmed(flow)) == 600, limit_s=60)
        eventually(lambda: waiting(flow, "unordered.retry.3s", "unordered") == 0)
    assert len(set(confirmed(flow))) == 600
    assert flow.crashes == []


def redriven(flow, name, order, *, partition=3, offset=77, redrives=1):
    """What `headrace dlq redrive` sends."""
    event = OrderPlaced(order_id=order[0], wish=order[1])
    origin = [(wire.ORIGIN_TOPIC, flow.placed), (wire.ORIGIN_PARTITION, partition), (wire.ORIGIN_OFFSET, offset)]
    facts = [*origin, (wire.ORIGIN_TIMESTAMP_MS, 1_700_000_000_000), (wire.REDRIVES, redrives), (wire.DUE_MS, 0)]
    headers = [("traceparent", b"00-ab-cd-01"), *((name, str(fact).encode()) for name, fact in facts)]
    value = flow.kit.codec.encode(event, topic=flow.placed)
    flow.sender.send(flow.settings.prefix + name, value, key=event.order_id.encode(), headers=headers)
    assert flow.sender.flush(10) == 0


@pytest.mark.parametrize(("agent", "name"), [("threads", "threads.retry.5m"), ("unordered", "unordered.retry.7s")])
def test_what_waits_in_a_retry_topic_of_a_policy_that_the_agent_no_longer_has_is_handled_all_the_same(
    flow, agent, name
):
    flow.make_topic(name, partitions=1)
    flow.make_topic(f"{agent}.retry.colours", partitions=1)  # is none: a user's own
    redriven(flow, name, ("o1", "ok"))
    redriven(flow, f"{agent}.retry.colours", ("o2", "ok"))
    with flow.running(agent) as runner:
        eventually(lambda: confirmed(flow) == ["o1"])
        eventually(lambda: waiting(flow, name, agent) == 0)
        read = {topic for topic, _ in runner.membership.assignments}
    assert flow.settings.prefix + f"{agent}.retry.colours" not in read


@pytest.mark.parametrize(("agent", "name"), [("threads", "threads.retry.0s"), ("unordered", "unordered.retry.1s")])
def test_a_redriven_record_is_handled_at_once_as_what_it_was_at_its_origin(flow, agent, name):
    redriven(flow, name, ("o1", "ok"))
    redriven(flow, name, ("o2", "reject"), redrives=2)
    with flow.running(agent):
        eventually(lambda: confirmed(flow) == ["o1"])
        (letter,) = eventually(lambda: topic(flow, f"{agent}.dlq"))
    told = headers_of(letter)
    assert (told[wire.ORIGIN_PARTITION], told[wire.ORIGIN_OFFSET], told[wire.REDRIVES]) == ("3", "77", "2")
    assert (told["traceparent"], told[wire.ATTEMPTS]) == ("00-ab-cd-01", "1")


def test_a_redriven_record_of_an_exact_agent_is_counted_once(flow):
    from tests.integration.test_exact import rows_of

    flow.place(*[(f"o{number:03}", "ok") for number in range(20)])
    redriven(flow, "counting.retry.0s", ("again", "ok"))
    with flow.running("counting"):
        eventually(lambda: flow.lag("counting") == 0 and len(rows_of(flow)) == 21)
    assert rows_of(flow) == sorted(["again", *(f"o{number:03}" for number in range(20))])


def placed_of(flow, runner):
    return sum(topic == flow.placed for topic, _ in list(runner.membership.assignments))


def test_two_members_share_the_topic_itself_evenly_and_not_only_all_partitions_together(settings, make_topic):
    flow = Flow(settings, make_topic, partitions=4)
    for name in ("unordered.retry.1s", "unordered.retry.3s"):
        make_topic(name, partitions=4)
    make_topic("unordered.dlq", partitions=1)
    with flow.running("unordered") as first, flow.running("unordered") as second:
        eventually(lambda: (placed_of(flow, first), placed_of(flow, second)) == (2, 2))
        eventually(lambda: [len(runner.membership.assignments) for runner in (first, second)] == [6, 6])
    flow.sender.close()


def test_the_story_of_a_record_is_read_back_from_its_headers_whatever_it_brought_itself():
    own = ((wire.SOURCE_AGENT, b"another"), (wire.ORIGIN_TOPIC, b"elsewhere"), ("x", None))
    record = Record("t", 1, 2, 3, b"k", b"v", own, attempt=4, first_failure_ms=9, redrives=2)
    failure = Failed(kind="unexpected", error_class="KeyError", message="article")
    came = story.came(story.retry(record, failure, agent="images", due_ms=55))
    assert came.own_headers == own
    assert (came.origin.topic, came.origin.partition, came.origin.offset, came.origin.timestamp_ms) == ("t", 1, 2, 3)
    assert (came.attempts, came.first_failure_ms, came.redrives, came.due_ms) == (4, 9, 2, 55)
    assert came.error == ("KeyError", "article")
