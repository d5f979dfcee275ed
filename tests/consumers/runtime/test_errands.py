"""An exact agent's own errands: one that hangs is given up at the agent's deadline, and its partition goes on."""

import pytest

from consumers.runtime.record import Handled
from tests.support.desks import ExactDesk, StuckState
from tests.support.flows import eventually

TICK = "tests.support.shop.counting:tick"


@pytest.fixture
def desk_of(tmp_path):
    """The one thread of an exact agent, whose first errand hangs."""
    made = []

    def make(**changes):
        url = f"sqlite:///{tmp_path}/headrace.db"
        made.append(ExactDesk(url, kind=StuckState, deadline_s=1.0, **changes))
        return made[-1]

    yield make
    for desk in made:
        desk.state.let_go.set()
        desk.close()


def test_a_tick_that_hangs_is_given_up_at_its_deadline_and_the_next_one_runs(desk_of):
    desk = desk_of(tick=TICK)
    desk.until(lambda: desk.state.begun == 1)
    desk.deliver(0, 1, 2)
    desk.until(lambda: len(desk.outcomes) == 3)
    assert all(isinstance(outcome, Handled) for outcome in desk.outcomes)
    desk.until(lambda: desk.state.begun >= 3)  # the hung tick, the batch, a tick
    assert desk.rows() == ["o0", "o1", "o2"]


def test_a_move_of_the_stored_offset_that_hangs_is_given_up_at_its_deadline_and_tried_again(desk_of):
    desk = desk_of()
    desk.finish(0, 1, 2)
    desk.until(lambda: desk.state.begun == 1)
    desk.until(lambda: desk.state.start(desk.position) == 3)
    desk.deliver(3, 4)
    desk.until(lambda: len(desk.outcomes) == 2)
    assert desk.rows() == ["o3", "o4"]


def test_a_hung_move_of_the_stored_offset_does_not_keep_records_of_its_partition_waiting(desk_of):
    desk = desk_of()
    desk.finish(0)
    desk.until(lambda: desk.state.begun == 1)
    desk.deliver(1, 2)
    desk.until(lambda: len(desk.outcomes) == 2)
    assert desk.rows() == ["o1", "o2"]
    assert desk.state.start(desk.position) == 3


def test_a_move_of_the_stored_offset_that_was_given_up_and_ends_late_moves_nothing(desk_of):
    desk = desk_of()
    desk.finish(0, 1)
    desk.until(lambda: desk.state.begun == 1)
    desk.until(lambda: not desk.assignment.advancing)
    desk.state.let_go.set()
    eventually(lambda: desk.state.ended == 1)
    assert desk.state.start(desk.position) == desk.assignment.stored == 0
    desk.until(lambda: desk.state.start(desk.position) == 2)


def test_a_tick_that_was_given_up_and_ends_late_stores_nothing(desk_of):
    desk = desk_of(tick=TICK)
    desk.until(lambda: desk.state.begun == 1)
    desk.until(lambda: desk.state.ended >= 1)  # a later tick: the first one was given up
    desk.state.let_go.set()
    eventually(lambda: desk.state.ended == desk.state.begun and desk.ticks() == desk.state.ended - 1)
