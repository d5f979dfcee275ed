"""What counts as standing still."""

import msgspec
import pytest

from consumers.runtime.assignment import Assignment
from consumers.runtime.circuit import Circuits
from consumers.runtime.errors import AgentFailedError
from consumers.runtime.local import agent_named
from consumers.runtime.metadata import Note
from consumers.runtime.offsets import Start
from consumers.runtime.watchdog import Watchdog
from tests.support.kits import order_record, shop_kit


def watched():
    kit = shop_kit()
    agent = msgspec.structs.replace(agent_named(kit, "threads"), deadline_s=2.0)
    assignment = Assignment.of(agent, "orders.placed", 0, Note("id"), Start(0), committed=-1)
    circuits = Circuits()
    return Watchdog(agent, circuits), assignment, circuits, order_record(kit, 0)


def test_an_agent_that_holds_records_and_finishes_none_for_three_deadlines_and_a_minute_fails():
    watchdog, assignment, _, record = watched()
    assignment.lanes.add([record])
    watchdog.look([assignment], 0, now_s=100.0)
    watchdog.look([assignment], 0, now_s=165.0)
    with pytest.raises(AgentFailedError, match="threads holds records and has finished none for 66 s"):
        watchdog.look([assignment], 0, now_s=167.0)


def test_every_outcome_starts_the_clock_anew():
    watchdog, assignment, _, record = watched()
    assignment.lanes.add([record])
    for number in range(50):
        watchdog.look([assignment], number, now_s=100.0 + 60 * number)


@pytest.mark.parametrize("waiting", ["idle", "parked", "circuit", "no deadline"])
def test_waiting_is_not_standing_still(waiting):
    watchdog, assignment, circuits, record = watched()
    if waiting == "no deadline":
        watchdog._agent = msgspec.structs.replace(watchdog._agent, deadline_s=None)
    if waiting == "parked":
        assignment.lanes.park([record], until_s=10_000.0)
    elif waiting != "idle":
        assignment.lanes.add([record])
    if waiting == "circuit":
        for number in range(9):
            circuits.failed("smtp", ("t", 0, number), now_s=0.0)
    for now_s in range(0, 1000, 50):
        watchdog.look([assignment], 0, now_s=float(now_s))
