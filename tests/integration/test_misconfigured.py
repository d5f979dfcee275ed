"""Agents that cannot work as they are configured: their worker ends and says why; no record pays for it."""

import pytest

from tests.support.counted import counted_ids

TROUBLES = "tests.support.troubles"


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        ("childless", "the price list is missing"),
        ("handlerless", "no_such_function"),
        ("batchless", "tests.support.shop.counting:no_such_function cannot be imported"),
        ("exactless", "tests.support.shop.counting:no_such_function cannot be imported"),
        ("fieldless", "agent 'fieldless': shop.OrderPlaced of orders.placed has no field 'colour'"),
        ("answering", "agent 'answering' has no output topic, yet its handler returned events"),
        ("answering-batch", "agent 'answering-batch' has no output topic, yet its handler returned events"),
        ("answering-exact", "agent 'answering-exact' has no output topic, yet its handler returned events"),
    ],
)
def test_a_misconfigured_agent_ends_its_worker_visibly_and_costs_no_record(shop, start_worker, agent, reason):
    dead = shop.make_topic(f"{agent}.dlq", partitions=1)
    shop.place(*[(f"o{number}", "ok") for number in range(20)])
    worker = start_worker(shop.settings, "--agents", agent, "--catalogue", TROUBLES)
    assert worker.process.wait(60) not in {0, None}
    assert reason in worker.text()
    assert shop.lag(agent) == 20
    assert shop.read(dead) == []
    assert shop.read(shop.confirmed) == []
    assert counted_ids(shop.settings.database_url) == []
