"""Where partitions start: a group that begins at the end, one whose log was made again, one that another writer has overtaken."""

import time

import pytest
import sqlalchemy as sa
from confluent_kafka.admin import NewPartitions

from consumers.database import source_of
from consumers.runtime import broker_view
from consumers.runtime.metadata import Birth
from consumers.runtime.state import FencedError, Position, State
from producers.sender import Sender
from tests.support import plain
from tests.support.flows import Flow, eventually
from tests.support.shop import counting
from tests.support.shop.records import OrderConfirmed
from tests.support.stuck_admin import StuckAdmin


@pytest.fixture
def flow(settings, make_topic):
    made = Flow(settings, make_topic, partitions=2)
    made.dead = make_topic("threads.dlq", partitions=1)
    make_topic("counting.dlq", partitions=1)
    yield made
    made.sender.close()


def confirmed(flow):
    return {flow.kit.codec.decode(m.value(), OrderConfirmed).order_id for m in flow.read(flow.confirmed)}


def placed(flow):
    """Which partition each order came to."""
    return {message.key().decode(): message.partition() for message in flow.read(flow.placed)}


def counted(flow):
    engine = sa.create_engine(flow.settings.database_url)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(counting.seen.c.order_id)).scalars().all()
    engine.dispose()
    return rows


def test_a_group_that_begins_at_the_end_passes_over_nothing_that_came_since_it_began(flow):
    flow.place(*[(f"old{number}", "ok") for number in range(40)])
    time.sleep(0.1)
    birth = Birth(time.time_ns() // 1_000_000, 2)
    flow.commit_as_a_member("threads", 0, flow.ends(flow.placed)[0], birth=birth)
    time.sleep(0.1)
    flow.place(*[(f"new{number}", "ok") for number in range(40)])
    with flow.running("threads", start="latest"):
        eventually(lambda: flow.lag("threads") == 0)
    assert confirmed(flow) == {f"new{number}" for number in range(40)}


def test_a_partition_that_was_added_later_is_read_from_its_beginning(flow, admin):
    flow.place(*[(f"old{number}", "ok") for number in range(40)])
    with flow.running("threads", start="latest"):
        eventually(lambda: flow.committed("threads") == flow.ends(flow.placed))
    admin.create_partitions([NewPartitions(flow.placed, 6)])[flow.placed].result(20)
    eventually(lambda: len(flow.ends(flow.placed)) == 6)
    flow.sender.close()
    flow.sender = Sender(flow.settings, client_id="knows-the-new-partitions")
    flow.place(*[(f"new{number}", "ok") for number in range(40)])
    with flow.running("threads", start="latest"):
        eventually(lambda: flow.lag("threads") == 0)
    assert confirmed(flow) == {f"new{number}" for number in range(40)}
    partitions = placed(flow)
    assert max(partitions[f"new{number}"] for number in range(40)) > 1


def recreate(flow, admin):
    admin.delete_topics([flow.placed])[flow.placed].result(20)
    eventually(lambda: flow.placed not in admin.list_topics(timeout=10).topics)
    plain.create_topic(admin, flow.placed, partitions=2)


@pytest.mark.parametrize("agent", ["threads", "counting"])
def test_a_topic_that_was_made_again_while_nobody_ran_stops_the_agent_and_is_told(flow, admin, agent):
    flow.place(*[(f"old{number}", "ok") for number in range(40)])
    with flow.running(agent):
        eventually(lambda: flow.lag(agent) == 0)
    former = flow.topic_id
    recreate(flow, admin)
    flow.place(*[(f"new{number}", "ok") for number in range(40)])
    with flow.running(agent) as runner:
        reasons = eventually(lambda: told(runner))
        assert all(f"the topic was deleted and made again (id {former}" in reason for reason in reasons)
        assert flow.lag(agent) == 40
    with flow.running(agent, reset="earliest"):
        eventually(lambda: flow.lag(agent) == 0)
    with flow.running(agent) as runner:
        eventually(lambda: len(runner.membership.assignments) == 2 and not told(runner))
    if agent == "threads":
        assert confirmed(flow) >= {f"new{number}" for number in range(40)}
    assert flow.crashes == []


def told(runner):
    """Why partitions are stopped for good, once that is known of both."""
    reasons = [assignment.stopped or "" for assignment in list(runner.membership.assignments.values())]
    return [reason for reason in reasons if reason.startswith("the topic")] if len(reasons) == 2 else []


def test_an_agent_that_another_writer_has_overtaken_goes_on_behind_it_and_nothing_is_counted_twice(flow):
    flow.place(*[(f"o{number:04}", "slow:0.0005" if number % 2 else "ok") for number in range(3_000)])
    with flow.running("counting", batch_records=50) as runner:
        eventually(lambda: runner.stats.handled > 200)
        for _ in range(5):
            overtake(flow)
        eventually(lambda: flow.lag("counting") == 0, limit_s=60)
    assert sorted(counted(flow)) == sorted(placed(flow))
    assert flow.crashes == []


def overtake(flow):
    """Count one record as another worker would: its row, and the stored offset, in one transaction."""
    state = State(flow.settings.database_url, group=flow.settings.names.group("counting"))
    orders = {(m.partition(), m.offset()): m.key().decode() for m in flow.read(flow.placed)}
    position = Position(flow.topic_id, flow.placed, 0)
    while True:
        at = state.start(position)
        if (0, at) not in orders:
            break  # all of the partition is counted already
        try:
            with state.transaction(position, expected=at, following=at + 1) as connection:
                row = {"source_id": source_of(connection).id, "offset": at, "order_id": orders[0, at]}
                connection.execute(sa.insert(counting.seen), [row])
        except FencedError:
            continue
        break
    state.close()


def test_an_agent_whose_admin_client_is_stuck_finds_its_starts_all_the_same(flow, monkeypatch):
    opened, open_admin = iter([StuckAdmin()]), broker_view.open_admin
    monkeypatch.setattr(broker_view, "open_admin", lambda settings: next(opened, None) or open_admin(settings))
    monkeypatch.setattr(broker_view, "_RENEWED_EVERY_S", 0.0)
    flow.place(*[(f"o{number}", "ok") for number in range(10)])
    with flow.running("threads"):
        eventually(lambda: flow.lag("threads") == 0)
    assert next(opened, None) is None, "the stuck one was used"
