"""Back-pressure: how much is taken before what is in hand is done."""

import time

import pytest

from consumers.runtime.assignment import Assignment
from consumers.runtime.metadata import Note
from consumers.runtime.offsets import Start
from consumers.runtime.record import Record
from tests.support.desks import flow_and_stats_of, flow_of
from tests.support.shop.agents import EXACT, agent

MOST = 100


class Partition:
    """One partition of two, of which everything that is delivered is finished, save its first record."""

    def __init__(self, most=MOST):
        shop = agent("threads", max_in_flight=most)
        self._assignment, self.other = (
            Assignment.of(shop, "orders.placed", number, Note("id"), Start(0), committed=-1) for number in (0, 1)
        )
        self.flow = flow_of(shop, self._assignment, self.other)
        self._watermark = self._assignment.watermark
        self._watermark.deliver([0])

    def finish_behind_the_head(self, count):
        first = self._watermark.highest
        self._watermark.deliver(range(first, first + count))
        self._watermark.finish(range(first, first + count))
        self.flow.pause_backed_up()

    def take(self, count):
        first = self._watermark.highest
        self._watermark.deliver(range(first, first + count))

    def back_off(self, count):
        """One key fails, and so many records of it wait for its next attempt."""
        first = self._watermark.highest
        self.take(count)
        records = [Record("orders.placed", 0, first + number, 0, b"k", b"v") for number in range(count)]
        self._assignment.lanes.park(records, until_s=3600.0)
        self.flow.pause_backed_up()

    def try_again(self):
        self._assignment.lanes.wake(3600.0)
        self.flow.pause_backed_up()

    def release_the_head(self):
        self._watermark.finish([0])
        self.flow.pause_backed_up()

    @property
    def backed_up(self):
        return self._assignment.backed_up


@pytest.fixture
def partition():
    return Partition()


def test_of_brief_records_no_more_are_in_hand_than_stay_warm():
    shop = agent("threads")
    assignment = Assignment.of(shop, "orders.placed", 0, Note("id"), Start(0), committed=-1)
    flow, stats = flow_and_stats_of(shop, assignment)
    stats.mark(time.monotonic() + 1, 1_000_000)
    assert not flow.brief, "nothing was handled yet"
    stats.took({1: 100})
    assert flow.brief
    assert flow.limit == 4000
    for _ in range(9):
        stats.took({1000: 100})
    assert not flow.brief
    assert flow.limit == shop.max_in_flight - 64


def test_of_an_exact_agent_no_more_than_a_batch_of_a_partition_has_begun():
    for changes, most in ((EXACT, EXACT["batch_records"]), ({}, 5000 - 64)):
        shop = agent("one", max_in_flight=5000, **changes)
        assignment = Assignment.of(shop, "orders.placed", 0, Note("id"), Start(0), committed=-1)
        flow, stats = flow_and_stats_of(shop, assignment)
        stats.mark(time.monotonic() + 1, 1_000_000)
        assert flow.most_begun == most


def test_batches_are_never_cut_short_for_being_brief():
    shop = agent("counting", **EXACT)
    assignment = Assignment.of(shop, "orders.placed", 0, Note("id"), Start(0), committed=-1)
    flow, stats = flow_and_stats_of(shop, assignment)
    stats.took({1: 100})
    assert not flow.brief


def test_what_is_finished_behind_a_stuck_head_is_bounded_and_the_other_partitions_go_on(partition):
    taken = 0
    while not partition.backed_up and taken < 100 * MOST:
        partition.finish_behind_the_head(10)
        taken += 10
    assert MOST < taken <= 10 * MOST
    assert partition.flow.in_hand == 1
    assert not partition.flow.full
    assert not partition.other.backed_up


def test_with_its_head_released_a_partition_takes_more_again(partition):
    partition.finish_behind_the_head(10 * MOST)
    assert partition.backed_up
    partition.release_the_head()
    assert not partition.backed_up


def test_a_key_that_backs_off_pauses_its_partition_at_a_bound_and_takes_no_room_from_the_work_of_others():
    partition = Partition(most=10 * MOST)
    room = partition.flow.room
    partition.back_off(2 * MOST)
    assert not partition.backed_up
    assert partition.flow.room == room, "what waits is no work"
    partition.back_off(MOST)
    assert partition.backed_up
    assert not partition.other.backed_up
    assert partition.flow.room == room
    partition.try_again()
    assert not partition.backed_up


def test_who_waits_for_an_answer_polls_on_and_pauses_before_one_record_too_many(partition):
    """The answer to an owner's mark comes by a poll, which may bring a record with it."""
    partition.take(MOST - 12)
    assert not partition.flow.full
    partition.take(1)
    assert partition.flow.full
    assert partition.flow.room == 0
    assert partition.flow.holds_back(10.0), "nobody listens: no poll"
    for _ in range(10):
        assert not partition.flow.holds_back(10.1, listens=True)
        assert not partition.flow.paused
        partition.take(1)
    assert partition.flow.in_hand == MOST
    assert not partition.flow.holds_back(10.2, listens=True)
    assert partition.flow.paused


def test_records_that_are_finished_in_order_never_fill_it(partition):
    partition.release_the_head()
    for _ in range(100):
        partition.finish_behind_the_head(MOST)
        assert not partition.flow.full
