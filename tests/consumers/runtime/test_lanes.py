"""Order by key, as a property of every schedule."""

import random

import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.agent import Order
from consumers.runtime.block import Block
from consumers.runtime.lanes import Lanes
from consumers.runtime.record import Record

keys = st.sampled_from([b"a", b"b", b"c", b"d", None])


def records_of(of_keys, first=0):
    return [Record("t", 0, first + offset, 0, key, b"v") for offset, key in enumerate(of_keys)]


def block_of(of_keys):
    messages = [Message(topic="t", partition=0, offset=n, key=key, value=b"v") for n, key in enumerate(of_keys)]
    return Block.of(("t", 0), messages)


@given(
    st.lists(keys, max_size=60), st.integers(1, 5), st.integers(1, 7), st.integers(0, 2**32), st.booleans(), st.booleans()
)  # fmt: skip
def test_every_record_runs_and_each_key_in_offset_order_whatever_fails(
    of_keys, lanes_count, limit, seed, whole, as_block
):
    rng = random.Random(seed)
    lanes = Lanes(lanes=lanes_count, order=Order.BY_KEY, whole=whole)
    waiting = block_of(of_keys) if as_block else records_of(of_keys)
    done, out, unacknowledged, now_s = [], [], [], 0.0
    while len(done) < len(of_keys):
        now_s += 1.0
        lanes.wake(now_s)
        arrived = rng.randint(0, 5)
        lanes.add(waiting[:arrived])
        waiting = waiting[arrived:]
        may_run = lanes.may_run
        if (cut := lanes.take(limit, brief=rng.random() < 0.6)) is not None:
            assert may_run, "whoever asked would not have taken it"
            out.append(cut)
        if out and rng.random() < 0.7:
            lane, chunk = out.pop(rng.randrange(len(out)))
            failed_at = rng.randrange(len(chunk)) if rng.random() < 0.3 else len(chunk)
            done += chunk[:failed_at]
            unacknowledged.append([record for record in chunk[:failed_at] if rng.random() < 0.5])
            for record in unacknowledged[-1]:
                lanes.hold(record)
            if failed_at < len(chunk):
                key = lanes.key_of(chunk[failed_at])
                mine = [record for record in chunk[failed_at:] if lanes.key_of(record) == key]
                others = [record for record in chunk[failed_at:] if lanes.key_of(record) != key]
                lanes.park(mine, until_s=now_s + rng.randint(0, 5))
                lanes.put_back(others)
            lanes.release(lane)
        if unacknowledged and rng.random() < 0.5:
            for record in unacknowledged.pop(rng.randrange(len(unacknowledged))):
                lanes.unhold(record)
    for key in {key for key in of_keys if key is not None}:
        handled = [record.offset for record in done if record.key == key]
        assert handled == sorted(handled)
    assert sorted(record.offset for record in done) == list(range(len(of_keys)))
    if whole:
        assert [record.offset for record in done] == list(range(len(of_keys)))


def test_two_chunks_of_one_lane_never_run_at_once():
    lanes = Lanes(lanes=1, order=Order.BY_KEY)
    lanes.add(records_of([b"a", b"b", b"c"]))
    assert lanes.take(1) is not None
    assert lanes.take(1) is None


def test_brief_records_come_as_they_were_queued_and_then_nothing_else_runs():
    lanes = Lanes(lanes=4, order=Order.BY_KEY)
    lanes.add(records_of([b"a", b"b", b"c", b"d", b"e"]))
    lane, chunk = lanes.take(4, brief=True)
    assert [record.offset for record in chunk] == [0, 1, 2, 3]
    assert lanes.take(4, brief=True) is None
    assert lanes.take(4) is None, "a key of the chunk would run beside itself"
    lanes.release(lane)
    assert [record.offset for record in lanes.take(4)[1]] == [4]


def test_what_turned_out_not_to_be_brief_is_divided_among_the_lanes():
    lanes = Lanes(lanes=4, order=Order.BY_KEY)
    lanes.add(records_of([b"a", b"b", b"c", b"d", b"a"]))
    lane, chunk = lanes.take(4, brief=True)
    lanes.put_back(chunk[1:])
    lanes.release(lane)
    taken = []
    while (cut := lanes.take(10)) is not None:
        taken.append(cut)
    assert len({lane for lane, _ in taken}) == len(taken) > 1
    assert sorted(record.offset for _, chunk in taken for record in chunk) == [1, 2, 3, 4]


def test_what_is_put_back_goes_to_the_lane_of_its_key():
    lanes = Lanes(lanes=4, order=Order.BY_KEY)
    lanes.add(records_of([b"a"] * 4))
    lane, chunk = lanes.take(2)
    lanes.put_back(chunk)
    assert lanes.take(2) is None, "the lane is busy"
    lanes.release(lane)
    assert [record.offset for record in lanes.take(4)[1]] == [0, 1, 2, 3]


def test_a_parked_key_does_not_stop_the_other_keys_of_its_lane():
    lanes = Lanes(lanes=1, order=Order.BY_KEY)
    lanes.add(records_of([b"a", b"b", b"a", b"b"]))
    lane, chunk = lanes.take(1)
    lanes.park(chunk, until_s=10.0)
    lanes.release(lane)
    lane, chunk = lanes.take(10)
    assert [record.offset for record in chunk] == [1, 3]
    lanes.release(lane)
    lanes.wake(10.0)
    _, chunk = lanes.take(10)
    assert [record.offset for record in chunk] == [0, 2]


def test_a_drain_takes_nothing_beyond_its_horizon():
    lanes = Lanes(lanes=1, order=Order.BY_KEY)
    lanes.add(records_of([b"a", b"a", b"a"]))
    _, chunk = lanes.take(10, below=2)
    assert [record.offset for record in chunk] == [0, 1]


def test_a_key_has_the_same_lane_in_every_process():
    lanes = Lanes(lanes=7, order=Order.BY_KEY)
    lanes.add(records_of([b"user-1"]))
    assert lanes.take(1)[0] == 5


def test_records_of_one_key_that_fail_one_by_one_are_tried_again_in_order():
    lanes = Lanes(lanes=2, order=Order.BY_KEY)
    records = records_of([b"a"] * 5)
    lanes.add(records)
    lane, chunk = lanes.take(10)
    lanes.release(lane)
    for record in (chunk[3], chunk[0], chunk[4], chunk[1], chunk[2]):
        lanes.park([record], until_s=1.0)
    lanes.wake(1.0)
    _, again = lanes.take(10)
    assert [record.offset for record in again] == [0, 1, 2, 3, 4]


def test_a_key_that_is_parked_again_waits_for_the_later_time():
    lanes = Lanes(lanes=1, order=Order.BY_KEY)
    first, second = records_of([b"a", b"a"])
    lanes.park([first], until_s=1.0)
    lanes.park([second], until_s=5.0)
    lanes.wake(1.0)
    assert lanes.take(10) is None
    lanes.wake(5.0)
    assert [record.offset for record in lanes.take(10)[1]] == [0, 1]


def test_a_held_key_waits_while_the_other_keys_of_its_lane_go_on():
    lanes = Lanes(lanes=1, order=Order.BY_KEY)
    lanes.add(records_of([b"a", b"b", b"a", b"b"]))
    lane, (first,) = lanes.take(1)
    lanes.hold(first)
    lanes.release(lane)
    lane, chunk = lanes.take(10)
    assert [record.offset for record in chunk] == [1, 3]
    lanes.release(lane)
    assert lanes.take(10) is None
    lanes.unhold(first)
    assert [record.offset for record in lanes.take(10)[1]] == [2]


def test_an_acknowledgement_is_urgent_only_where_a_record_waits_for_it():
    lanes = Lanes(lanes=1, order=Order.BY_KEY)
    lanes.add(records_of([b"a"]))
    lane, (first,) = lanes.take(1)
    lanes.hold(first)
    lanes.release(lane)
    assert not lanes.holding_back, "nothing waits for it but a commit"
    lanes.add(records_of([b"a"], first=1))
    assert lanes.take(1) is None
    assert lanes.holding_back
    lanes.unhold(first)
    lanes.take(1)
    assert not lanes.holding_back


def test_a_held_key_that_fails_meanwhile_waits_for_both():
    lanes = Lanes(lanes=1, order=Order.BY_KEY)
    lanes.add(records_of([b"a", b"a", b"a"]))
    lane, chunk = lanes.take(2)
    lanes.hold(chunk[0])
    lanes.park(chunk[1:], until_s=1.0)
    lanes.release(lane)
    lanes.wake(1.0)
    assert lanes.take(10) is None, "its first record is not acknowledged yet"
    lanes.unhold(chunk[0])
    assert [record.offset for record in lanes.take(10)[1]] == [1, 2]


@pytest.mark.parametrize(("order", "key"), [(Order.UNORDERED, b"a"), (Order.BY_KEY, None)])
def test_where_no_order_is_promised_nothing_is_held(order, key):
    lanes = Lanes(lanes=1, order=order)
    lanes.add(records_of([key, key]))
    lane, (first,) = lanes.take(1)
    lanes.hold(first)
    lanes.release(lane)
    assert [record.offset for record in lanes.take(10)[1]] == [1]


def test_a_drain_finds_what_lies_below_its_horizon_behind_what_was_put_back():
    lanes = Lanes(lanes=1, order=Order.BY_KEY)
    records = records_of([b"a", b"b", b"a", b"a"])
    lanes.add(records)
    lane, chunk = lanes.take(2)
    for record in chunk:
        lanes.hold(record)
    lanes.release(lane)
    assert lanes.take(10) is None
    lanes.park(chunk[1:], until_s=1.0)
    lanes.unhold(chunk[1])
    lanes.wake(1.0)
    lanes.unhold(chunk[0])
    assert [record.offset for record in lanes.take(10, below=3)[1]] == [1, 2]
