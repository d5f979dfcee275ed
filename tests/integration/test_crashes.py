"""An agent that crashes leaves its group at once: others take its partitions long before its session would end."""

import msgspec
import pytest

from tests.support.flows import Flow, eventually
from tests.support.groups import group_of
from tests.support.shop.records import OrderConfirmed

TROUBLES = "tests.support.troubles"
SESSION_MS = 40_000
FAR_BELOW_THE_SESSION_S = 15.0


@pytest.fixture
def patient(settings, make_topic):
    """The shop, whose groups miss a silent member only after a long time."""
    flow = Flow(msgspec.structs.replace(settings, group_session_timeout_ms=SESSION_MS), make_topic)
    yield flow
    flow.sender.close()


def one_order_a_partition(flow, wish):
    """Place such orders until each partition has one."""
    number = 0
    while not all(flow.ends(flow.placed).values()):
        flow.place((f"o{number}", wish))
        number += 1
    return {f"o{each}" for each in range(number)}


def confirmed_ids(flow):
    return {flow.kit.codec.decode(message.value(), OrderConfirmed).order_id for message in flow.read(flow.confirmed)}


def test_a_misconfigured_agent_leaves_its_partitions_to_the_other_member_at_once(patient):
    with patient.running("threads") as able, patient.running("threads", output=None) as unable:
        eventually(lambda: [len(r.membership.assignments) for r in (able, unable)] == [2, 2])
        ids = one_order_a_partition(patient, "ok")
        eventually(lambda: patient.crashes)
        eventually(lambda: len(able.membership.assignments) == 4, limit_s=FAR_BELOW_THE_SESSION_S)
        eventually(lambda: patient.lag("threads") == 0)
    assert confirmed_ids(patient) == ids
    assert "has no output topic" in str(patient.crashes[0])


@pytest.mark.slow
def test_a_worker_whose_pool_breaks_leaves_its_partitions_to_the_other_member_at_once(patient, start_worker, tmp_path):
    patient.make_topic("fragile.dlq", partitions=1)
    upgrade = tmp_path / "upgrade"
    options = ("--agents", "fragile", "--catalogue", TROUBLES)
    whole = start_worker(patient.settings, *options, SHOP_BROKEN=tmp_path / "never")
    breaking = start_worker(patient.settings, *options, SHOP_BROKEN=upgrade)
    eventually(lambda: group_of(patient, "fragile")[1] == [2, 2], limit_s=60)
    upgrade.touch()
    one_order_a_partition(patient, "die")
    breaking.await_line("agent_failed")
    eventually(lambda: group_of(patient, "fragile")[1] == [4], limit_s=FAR_BELOW_THE_SESSION_S)
    assert "the price list is missing" in breaking.text()
    assert breaking.process.wait(30) != 0
    assert "Exception in thread" not in breaking.text()
    patient.place(("last", "ok"))
    eventually(lambda: patient.lag("fragile") == 0, limit_s=60)
    assert confirmed_ids(patient) == {"last"}
    assert whole.terminate() == 0
