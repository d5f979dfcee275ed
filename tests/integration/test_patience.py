"""What takes its time, or is away for a while, stops nothing else: polling goes on, and whatever waits is done later."""

import os
import signal
import time
from functools import partial

import msgspec
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

import devstack
from tests.support.flows import Flow, eventually
from tests.support.patience import patiently
from tests.support.shop.records import OrderConfirmed
from tests.support.stacks import flow_on


def ids(flow):
    return sorted(flow.kit.codec.decode(m.value(), OrderConfirmed).order_id for m in flow.read(flow.confirmed))


def members(flow, agent):
    admin = AdminClient({"bootstrap.servers": flow.settings.bootstrap_servers, "log_level": 2})
    group = flow.settings.names.group(agent)
    return len(patiently(lambda: admin.describe_consumer_groups([group], request_timeout=10)[group].result(10)).members)


class Choked:
    """A real sender whose queue is full for as long as a test wants."""

    def __init__(self, sender):
        self._sender = sender
        self.full = True

    def __getattr__(self, name):
        return getattr(self._sender, name)

    def offer(self, *record, **rest):
        return False if self.full else self._sender.offer(*record, **rest)


@pytest.mark.slow
def test_a_full_producer_queue_costs_neither_the_membership_nor_a_record(settings, make_topic):
    flow = Flow(msgspec.structs.replace(settings, kafka={"max.poll.interval.ms": "6000"}), make_topic)
    flow.place(*[(f"o{number:03}", "ok") for number in range(300)])
    flow.sender = Choked(flow.sender)
    with flow.running("threads") as runner:
        eventually(lambda: runner.stats.handled > 0)
        before = list(runner.membership.assignments.values())
        until_s = time.monotonic() + 10  # a consumer that is not polled for 6 s leaves its group
        while time.monotonic() < until_s:
            assert members(flow, "threads") == 1
            time.sleep(0.5)
        assert list(runner.membership.assignments.values()) == before, "its partitions were taken away"
        assert ids(flow) == []
        flow.sender.full = False
        eventually(lambda: flow.lag("threads") == 0)
    assert ids(flow) == [f"o{number:03}" for number in range(300)]
    assert flow.crashes == []
    flow.sender.close()


@pytest.mark.slow
def test_a_frozen_broker_ends_no_worker_and_loses_nothing(own_stack, own_flow, start_worker):
    own_flow.make_topic("threads.dlq", partitions=1)
    worker = start_worker(own_flow.settings, "--agents", "threads")
    worker.await_line("ready")
    own_flow.place(*[(f"o{number:03}", "slow:0.05") for number in range(400)])
    pid = own_stack.pid(0)
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(25)  # longer than a look at the topic's id takes, with its time-out
        assert worker.process.poll() is None
    finally:
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: own_flow.lag("threads") == 0, limit_s=90)
    assert sorted(set(ids(own_flow))) == [f"o{number:03}" for number in range(400)]
    assert worker.terminate() == 0


def test_a_database_that_is_away_when_the_worker_starts_is_waited_for(shop, start_worker, tmp_path):
    shop.make_topic("counting.dlq", partitions=1)
    shop.make_topic("headrace.workers", partitions=1, cleanup_policy="compact")
    shop.place(*[(f"o{number:03}", "ok") for number in range(50)])
    (tmp_path / "folder").write_text("no folder yet")
    settings = msgspec.structs.replace(shop.settings, database_url=f"sqlite:///{tmp_path / 'folder' / 'headrace.db'}")
    worker = start_worker(settings, "--agents", "counting")
    assert "database is unavailable" in worker.await_line("start_unknown")
    (tmp_path / "folder").unlink()
    eventually(lambda: shop.lag("counting") == 0)
    assert worker.terminate() == 0


@pytest.mark.slow
def test_a_partition_without_a_leader_waits_while_the_others_are_handled(tmp_path, start_worker):
    with devstack.up(brokers=3, port=0, data=tmp_path / "stack") as stack:
        flow = flow_on(stack, tmp_path)
        flow.make_topic("threads.dlq", partitions=1)
        admin = AdminClient({"bootstrap.servers": stack.bootstrap_servers, "log_level": 2})
        admin.delete_topics([flow.placed])[flow.placed].result(20)
        eventually(lambda: flow.placed not in admin.list_topics(timeout=10).topics)
        alone = NewTopic(flow.placed, num_partitions=3, replica_assignment=[[1], [2], [3]])
        admin.create_topics([alone])[flow.placed].result(20)
        eventually(partial(leaders, admin, flow.placed, 3))
        flow.place(*[(f"o{number:03}", "ok") for number in range(90)])
        number_of = {message.key().decode(): message.partition() for message in flow.read(flow.placed)}
        stack.kill(2)
        eventually(partial(leaders, admin, flow.placed, 2), limit_s=60)
        worker = start_worker(flow.settings, "--agents", "threads")
        others = sorted(order for order, partition in number_of.items() if partition != 2)
        eventually(lambda: ids(flow) == others, limit_s=90)
        assert worker.process.poll() is None
        stack.start(2)
        eventually(lambda: ids(flow) == sorted(number_of), limit_s=90)
        assert worker.terminate() == 0
        flow.sender.close(5.0)


def leaders(admin, topic, count):
    partitions = admin.list_topics(topic, timeout=10).topics[topic].partitions.values()
    return sum(partition.leader >= 0 for partition in partitions) == count
