"""Prometheus text on 127.0.0.1, where it is asked for."""

import urllib.request

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from devstack.ports import free_ports
from tests.support.flows import eventually


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {
        (sample.name, sample.labels["agent"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def listening(worker):
    found = psutil.Process(worker.process.pid).net_connections("inet")
    return {tuple(connection.laddr) for connection in found if connection.status == psutil.CONN_LISTEN}


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_a_running_worker_tells_its_counts_on_the_loopback_address_only(shop, start_worker, way):
    shop.make_topic("threads.dlq", partitions=1)
    shop.place(*[(f"o{number}", "reject" if number < 3 else "ok") for number in range(20)])
    (port,) = free_ports(1)
    options = ["--metrics-port", str(port)] if way == "flag" else []
    environ = {"HEADRACE_METRICS_PORT": port} if way == "variable" else {}
    worker = start_worker(shop.settings, "--agents", "threads", *options, **environ)
    eventually(lambda: shop.lag("threads") == 0)
    told = scrape(port)
    assert told["headrace_records_handled_total", "threads"] == 17
    assert told["headrace_results_total", "threads"] == 17
    assert told["headrace_dead_letters_total", "threads"] == 3
    assert told["headrace_partitions", "threads"] == 4
    assert told["headrace_in_hand", "threads"] == 0
    assert told["headrace_handling_p99_ms", "threads"] >= told["headrace_handling_p50_ms", "threads"] > 0
    assert listening(worker) == {("127.0.0.1", port)}
    assert worker.terminate() == 0


def test_nothing_listens_by_default(shop, start_worker):
    shop.make_topic("threads.dlq", partitions=1)
    worker = start_worker(shop.settings, "--agents", "threads")
    worker.await_line(" ready ")
    assert listening(worker) == set()
    assert worker.terminate() == 0
