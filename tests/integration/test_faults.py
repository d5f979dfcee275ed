"""What goes wrong around a worker: one clear error each, and nothing is lost."""

import threading

import msgspec
import pytest

import devstack
from devstack.ports import free_ports
from tests.support.commands import headrace
from tests.support.flows import eventually
from tests.support.shop.records import OrderConfirmed

TROUBLES = "tests.support.troubles"


def lines_with(worker, *words):
    return [line for line in worker.text().splitlines() if all(word in line for word in words)]


def confirmed_ids(flow):
    return sorted(flow.kit.codec.decode(m.value(), OrderConfirmed).order_id for m in flow.read(flow.confirmed))


def test_a_worker_started_before_its_broker_waits_with_one_line_and_then_works(own_stack, own_flow, start_worker):
    own_flow.make_topic("threads.dlq", partitions=1)
    own_flow.place(("o1", "ok"))
    own_stack.down()
    worker = start_worker(own_flow.settings, "--agents", "threads")
    said = worker.await_line("waiting_for_broker")
    assert own_stack.bootstrap_servers in said
    assert "make stack" in said
    devstack.up(data=own_stack.data)
    worker.await_line("ready")
    eventually(lambda: own_flow.lag("threads") == 0)
    assert confirmed_ids(own_flow) == ["o1"]
    assert len(lines_with(worker, "waiting_for_broker")) == 1
    assert worker.terminate() == 0


def test_a_worker_that_waits_for_its_broker_ends_at_a_sigterm(settings, start_worker):
    away = msgspec.structs.replace(settings, bootstrap_servers=f"127.0.0.1:{free_ports(1)[0]}")
    worker = start_worker(away)
    worker.await_line("waiting_for_broker")
    assert worker.terminate() == 0


@pytest.mark.parametrize("command", [["status"], ["init", "--dry-run"]])
def test_a_wrong_port_is_one_clear_error_and_exit_code_3(settings, command):
    servers = f"127.0.0.1:{free_ports(1)[0]}"
    ran = headrace(msgspec.structs.replace(settings, bootstrap_servers=servers), *command)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr.startswith(f"error: no Kafka broker answers at {servers}")
    assert len(ran.stderr.splitlines()) == 1


def test_missing_topics_are_named_with_the_remedy_and_end_the_worker_with_2(shop, start_worker):
    worker = start_worker(shop.settings, "--agents", "threads,ledger")
    assert worker.process.wait(30) == 2
    (said,) = lines_with(worker, "missing_topics")
    assert f"{shop.settings.prefix}ledger.dlq, {shop.settings.prefix}threads.dlq" in said
    assert "headrace init" in said
    assert "Traceback" not in worker.text()


@pytest.mark.slow
def test_a_broker_killed_and_restarted_under_load_loses_nothing_and_the_worker_survives(
    own_stack, own_flow, start_worker
):
    own_flow.make_topic("threads.dlq", partitions=1)
    worker = start_worker(own_flow.settings, "--agents", "threads")
    worker.await_line("ready")
    orders = [(f"o{number:05}", "slow:0.002") for number in range(3_000)]
    publishing = threading.Thread(target=own_flow.place, args=orders)
    publishing.start()
    eventually(lambda: len(own_flow.read(own_flow.confirmed)) > 300)
    own_stack.kill(0)
    own_stack.start(0)
    publishing.join(60)
    eventually(lambda: own_flow.lag("threads") == 0, limit_s=60)
    assert sorted(set(confirmed_ids(own_flow))) == [order_id for order_id, _ in orders]
    assert own_flow.read("own.threads.dlq") == []
    assert worker.terminate() == 0


@pytest.mark.parametrize("agent", ["patient", "inline"])
def test_a_handler_that_is_stuck_at_a_stop_ends_the_worker_with_70_and_its_record_uncommitted(
    shop, start_worker, agent
):
    shop.make_topic(f"{agent}.dlq", partitions=1)
    shop.make_topic("headrace.workers", partitions=1, cleanup_policy="compact")
    shop.place(("o1", "hang"))
    worker = start_worker(shop.settings, "--agents", agent, "--catalogue", TROUBLES, HEADRACE_STOP_LIMIT_S=5)
    worker.await_line("o1 hangs")
    assert worker.terminate(15) == 70
    assert lines_with(worker, "stuck", "exit_code=70")
    assert shop.lag(agent) == 1


def test_a_record_of_another_schema_is_dead_lettered_with_a_clear_reason(shop, start_worker):
    dead = shop.make_topic("threads.dlq", partitions=1)
    wrong = shop.kit.codec.encode(OrderConfirmed(order_id="o1"), topic=shop.confirmed)
    shop.sender.send(shop.placed, wrong, key=b"o1")
    shop.place(("o2", "ok"))
    worker = start_worker(shop.settings, "--agents", "threads")
    eventually(lambda: shop.lag("threads") == 0)
    (letter,) = shop.read(dead)
    story = {name: value.decode() for name, value in letter.headers()}
    assert letter.value() == wrong
    assert story["headrace-attempts"] == "1"
    assert "shop.OrderConfirmed" in story["headrace-error-message"]
    assert "shop.OrderPlaced" in story["headrace-error-message"]
    assert confirmed_ids(shop) == ["o2"]
    assert worker.terminate() == 0
