"""Groups, their members and their partitions; logs that are replaced, cut, or full of gaps."""

from contextlib import contextmanager
from zlib import crc32

import msgspec
import pytest
from confluent_kafka import Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests.support import plain
from tests.support.commands import listed
from tests.support.flows import Flow, eventually
from tests.support.groups import group_of
from tests.support.shop.records import OrderConfirmed, OrderPlaced
from tests.support.stacks import restart_with

TROUBLES = "tests.support.troubles"


def ids(flow):
    return [flow.kit.codec.decode(m.value(), OrderConfirmed).order_id for m in flow.read(flow.confirmed)]


@pytest.mark.slow
@pytest.mark.parametrize(("protocol", "session_ms"), [("consumer", 3_000), ("classic", 6_000)])
def test_two_workers_share_the_partitions_and_the_loss_of_one_moves_its_own(shop, start_worker, protocol, session_ms):
    shop.make_topic("threads.dlq", partitions=1)
    settings = msgspec.structs.replace(shop.settings, group_session_timeout_ms=session_ms, group_protocol=protocol)
    first, second = (start_worker(settings, "--agents", "threads") for _ in range(2))
    eventually(lambda: group_of(shop, "threads") == (protocol.upper(), [2, 2]), limit_s=60)
    assert f"{protocol} protocol" in first.await_line(" ready ")
    first.kill()
    eventually(lambda: group_of(shop, "threads") == (protocol.upper(), [4]), limit_s=60)
    shop.place(*[(f"o{number}", "ok") for number in range(40)])
    eventually(lambda: shop.lag("threads") == 0)
    assert len(ids(shop)) == 40
    assert second.terminate() == 0


def test_where_the_broker_refuses_kip_848_the_worker_says_so_and_goes_on_with_classic(
    own_stack, own_flow, start_worker
):
    own_flow.make_topic("threads.dlq", partitions=1)
    restart_with(own_stack, "group.coordinator.rebalance.protocols=classic")
    own_flow.place(*[(f"o{number}", "ok") for number in range(20)])
    settings = msgspec.structs.replace(own_flow.settings, group_session_timeout_ms=6_000)
    worker = start_worker(settings, "--agents", "threads")
    said = worker.await_line("classic_group")
    assert "API version not supported" in said
    assert "HEADRACE_GROUP_PROTOCOL=classic" in said
    assert "classic protocol" in worker.await_line(" ready ")
    eventually(lambda: own_flow.lag("threads") == 0)
    assert len(ids(own_flow)) == 20
    assert group_of(own_flow, "threads") == ("CLASSIC", [4])
    assert worker.terminate() == 0


def test_a_member_that_its_group_has_given_up_unnoticed_joins_anew(shop):
    shop.make_topic("threads.dlq", partitions=1)
    shop.place(*[(f"o{number}", "ok") for number in range(20)])
    with shop.running("threads") as runner:
        eventually(lambda: shop.lag("threads") == 0)
        before = set(runner.membership.assignments.values())
        for assignment in before:
            assignment.expelled_s = 0.0  # as if its commits had been refused since the machine's start
        eventually(
            lambda: len(runner.membership.assignments) == 4 and not before & {*runner.membership.assignments.values()}
        )
        shop.place(*[(f"n{number}", "ok") for number in range(20)])
        eventually(lambda: shop.lag("threads") == 0)
    assert sorted(ids(shop)) == sorted([f"{kind}{number}" for kind in "on" for number in range(20)])
    assert shop.crashes == []


def recreate(flow, admin, partitions=4):
    admin.delete_topics([flow.placed])[flow.placed].result(20)
    eventually(lambda: flow.placed not in admin.list_topics(timeout=10).topics)
    plain.create_topic(admin, flow.placed, partitions=partitions)


def topic_id(flow, admin):
    return str(admin.describe_topics(TopicCollection([flow.placed]))[flow.placed].result(10).topic_id)


@pytest.mark.slow
@pytest.mark.parametrize("new", [80, 4], ids=["longer", "shorter"])
def test_a_recreated_topic_stops_its_partitions_and_status_says_so(new, shop, admin, start_worker):
    shop.make_topic("threads.dlq", partitions=1)
    shop.make_topic("headrace.workers", partitions=1, cleanup_policy="compact")
    shop.place(*[(f"old{number}", "ok") for number in range(40)])
    worker = start_worker(shop.settings, "--agents", "threads")
    eventually(lambda: shop.lag("threads") == 0)
    former = topic_id(shop, admin)
    recreate(shop, admin)
    shop.place(*[(f"new{number}", "ok") for number in range(new)])

    def stopped():
        rows = listed(shop.settings, "status", "--partitions")
        # While a start is looked up, a partition has stopped too, and does not say why.
        return [row for row in rows if row["agent"] == "threads" and former in (row["stopped"] or "")]

    rows = eventually(lambda: len(stopped()) == 4 and stopped(), limit_s=60)
    assert all(topic_id(shop, admin) in row["stopped"] for row in rows)
    assert "deleted and made again" in worker.await_line("offset_out_of_log")
    assert worker.terminate() == 0
    assert set(ids(shop)) >= {f"old{number}" for number in range(40)}


@pytest.mark.slow
@pytest.mark.parametrize("new", [80, 8], ids=["longer", "shorter"])
def test_a_recreated_topic_is_read_from_its_beginning_where_the_policy_says_earliest(new, shop, admin, start_worker):
    shop.make_topic("resigned.dlq", partitions=1)
    shop.place(*[(f"old{number}", "ok") for number in range(40)])
    worker = start_worker(shop.settings, "--agents", "resigned", "--catalogue", TROUBLES)
    eventually(lambda: shop.lag("resigned") == 0)
    recreate(shop, admin)
    shop.place(*[(f"new{number}", "ok") for number in range(new)])
    wanted = {f"new{number}" for number in range(new)}
    eventually(lambda: wanted <= set(ids(shop)), limit_s=60)
    eventually(lambda: shop.lag("resigned") == 0)
    assert "goes on at 0" in worker.await_line("offset_out_of_log")
    assert worker.terminate() == 0


@pytest.fixture
def narrow(settings, make_topic):
    """The shop with one partition."""
    flow = Flow(settings, make_topic, partitions=1)
    yield flow
    flow.sender.close()


def handled_ten_then_cut(flow, admin, agent, **changes):
    flow.place(*[(f"o{number}", "ok") for number in range(10)])
    with flow.running(agent, **changes):
        eventually(lambda: flow.lag(agent) == 0)
    flow.place(*[(f"o{number}", "ok") for number in range(10, 20)])
    cut = TopicPartition(flow.placed, 0, 15)
    admin.delete_records([cut])[cut].result(20)


def stopped_by(runner):
    return [assignment.stopped for assignment in list(runner.membership.assignments.values())]


def test_retention_past_the_commit_stops_the_partition_and_names_what_is_lost(narrow, admin):
    handled_ten_then_cut(narrow, admin, "threads")
    with narrow.running("threads") as runner:
        eventually(lambda: stopped_by(runner) == ["retention passed the commit: offsets 10 to 14 are lost (5 at most)"])
    assert len(ids(narrow)) == 10
    assert narrow.committed("threads") == {0: 10}


def test_retention_past_the_commit_is_told_and_passed_over_where_the_policy_says_earliest(narrow, admin, capfd):
    handled_ten_then_cut(narrow, admin, "threads")
    with narrow.running("threads", reset="earliest"):
        eventually(lambda: narrow.lag("threads") == 0)
    assert sorted(ids(narrow)) == sorted(f"o{number}" for number in (*range(10), *range(15, 20)))
    told = "".join(capfd.readouterr())
    assert "offsets 10 to 14 are lost" in told
    assert "goes on at 15" in told


def test_a_transaction_s_aborted_records_and_markers_leave_no_lag(narrow):
    producer = Producer({"bootstrap.servers": narrow.settings.bootstrap_servers, "transactional.id": narrow.placed})
    producer.init_transactions(20)
    for number in range(6):
        producer.begin_transaction()
        for part in range(3):
            event = OrderPlaced(order_id=f"t{number}.{part}")
            producer.produce(narrow.placed, narrow.kit.codec.encode(event, topic=narrow.placed), key=b"k")
        producer.flush(20)
        (producer.abort_transaction if number % 2 else producer.commit_transaction)(20)
    # A transaction's end is answered before its marker is written.
    eventually(lambda: narrow.ends(narrow.placed) == {0: 24})
    with narrow.running("threads"):
        eventually(lambda: narrow.lag("threads") == 0)
    assert ids(narrow) == [f"t{number}.{part}" for number in (0, 2, 4) for part in range(3)]


@pytest.mark.slow
def test_gaps_that_compaction_leaves_hold_no_commit_back(narrow, admin):
    rules = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.001"}
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in rules.items()]
    resource = ConfigResource(ResourceType.TOPIC, narrow.placed, incremental_configs=entries)
    admin.incremental_alter_configs([resource])[resource].result(20)

    def kept():
        narrow.place(("last", "ok"))  # a new record rolls the segment; only what is rolled is compacted
        return len(narrow.read(narrow.placed))

    for _ in range(3):
        narrow.place(*[(f"o{number}", "ok") for number in range(30)])
    eventually(lambda: kept() < 60, limit_s=90, every_s=1.0)
    with narrow.running("threads"):
        eventually(lambda: narrow.lag("threads") == 0)
    handled = ids(narrow)
    assert {f"o{number}" for number in range(30)} <= set(handled)
    assert len(handled) < narrow.ends(narrow.placed)[0]
    assert narrow.committed("threads") == narrow.ends(narrow.placed)


def test_the_partitions_that_stay_go_on_while_one_that_leaves_is_drained(settings, make_topic):
    """A drain may take as long as a handler: meanwhile what is in hand of the others is worked on."""
    flow = Flow(settings, make_topic, partitions=2)
    with closing_producer(settings) as producer:
        for partition in (0, 1):
            for order_id, wish in one_slow_and_many_quick():
                event = OrderPlaced(order_id=order_id, wish=wish)
                value = flow.kit.codec.encode(event, topic=flow.placed)
                producer.produce(flow.placed, value, order_id.encode(), partition=partition)
    patient = {"deadline_s": 60.0, "drain_s": 30.0}
    with flow.running("threads", **patient) as stays:
        eventually(lambda: len(stays.running()) == 4)
        with flow.running("threads", **patient) as comes:
            staying = eventually(lambda: the_only_one(stays))
            unfinished = staying.watermark.unfinished
            assert unfinished > 20, "else nothing is left to go on with"
            eventually(lambda: staying.watermark.unfinished < unfinished - 15)
            assert all(each.stopped for each in comes.membership.assignments.values()), "the drain is over"
    assert flow.crashes == []


def one_slow_and_many_quick():
    """Orders of which no quick one shares the slow one's lane of four."""
    quick = [f"o{number}" for number in range(1, 200) if crc32(f"o{number}".encode()) % 4 != crc32(b"o0") % 4]
    return [("o0", "slow:10"), *[(order_id, "slow:0.1") for order_id in quick[:100]]]


def the_only_one(runner):
    """What is left to a runner that had two partitions."""
    owned = list(runner.membership.assignments.values())
    return owned[0] if len(owned) == 1 else None


@contextmanager
def closing_producer(settings):
    """A plain producer, flushed at the end."""
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    yield producer
    assert producer.flush(30) == 0
