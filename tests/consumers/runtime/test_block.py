"""Records as columns: whatever is done to a block, its records are the ones that a list would hold."""

from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.block import (
    Block,
    has_tombstone,
    headers_of,
    keys_of,
    offsets_of,
    pick,
    timestamps_ms_of,
    values_of,
)
from consumers.runtime.intake import record_of
from consumers.runtime.lane_queue import LaneQueue

PLACE = ("orders.placed", 3)
_bytes = st.none() | st.binary(max_size=3)
_headers = st.none() | st.lists(st.tuples(st.sampled_from(["a", "b"]), _bytes), max_size=2)
_gaps = st.integers(1, 2)
"""From one offset to the next: without a gap between them a block's are a range."""
_contents = st.lists(st.tuples(_bytes, _bytes, _headers, st.integers(0, 2**40)), max_size=12)


def messages_of(contents, *, first=0, gap=1):
    topic, partition = PLACE
    return [
        Message(topic=topic, partition=partition, offset=first + gap * number, key=key, value=value, headers=headers,
                timestamp=(1, at_ms))
        for number, (key, value, headers, at_ms) in enumerate(contents)
    ]  # fmt: skip


def in_columns(records):
    return [
        [*offsets_of(records)],
        keys_of(records),
        values_of(records),
        headers_of(records),
        timestamps_ms_of(records),
    ]


@given(_contents, _gaps, st.data())
def test_a_block_is_the_list_of_its_records(contents, gap, data):
    messages = messages_of(contents, gap=gap)
    plain, block = [record_of(message) for message in messages], Block.of(PLACE, messages)
    assert [*block] == plain
    assert in_columns(block) == in_columns(plain)
    assert has_tombstone(block) == has_tombstone(plain) == any(record.value is None for record in plain)
    start, end = data.draw(st.integers(-14, 14)), data.draw(st.integers(-14, 14))
    assert [*block[start:end]] == plain[start:end]
    chosen = data.draw(st.lists(st.sampled_from(range(len(plain))), unique=True).map(sorted) if plain else st.just([]))
    assert [*pick(block, chosen)] == pick(plain, chosen)
    assert has_tombstone(pick(block, chosen)) == has_tombstone(pick(plain, chosen))
    for index in range(-len(plain), len(plain)):
        assert block[index] == plain[index]


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5), _gaps, st.integers(0, 1)), max_size=6),
    st.lists(st.integers(1, 7) | st.just("put back"), max_size=12),
    st.integers(0, 40),
)
def test_a_lane_gives_its_records_back_in_the_order_in_which_it_was_told_them(pieces, steps, horizon):
    queue, expected, offset = LaneQueue(), [], 0
    for is_block, count, gap, gap_behind in pieces:
        messages = messages_of([(b"k", b"v", None, 0)] * count, first=offset, gap=gap)
        offset += gap * count + gap_behind
        queue.append(Block.of(PLACE, messages) if is_block else [record_of(message) for message in messages])
        expected += [record_of(message) for message in messages]
    taken = []
    for step in steps:
        if step == "put back":
            queue.put_first(taken)
            expected, taken = taken + expected, []
        else:
            cut = queue.take(step)
            assert ([*cut], [*offsets_of(cut)]) == (expected[:step], [record.offset for record in expected[:step]])
            expected, taken = expected[step:], taken + expected[:step]
    assert bool(queue) == bool(expected)
    assert queue.has_below(horizon) == any(record.offset < horizon for record in expected)
    below = [record for record in expected if record.offset < horizon]
    assert [*queue.take_below(horizon, 100)] == below
    assert [*queue.take(100)] == [record for record in expected if record.offset >= horizon]


def test_offsets_without_a_gap_stay_a_range_however_they_are_cut_and_joined():
    one, other = (Block.of(PLACE, messages_of([(b"k", b"v", None, 0)] * 5, first=first)) for first in (10, 15))
    assert Block.join([one[2:], other[:3]]).offsets == range(12, 18)
    assert Block.join([one, other[1:]]).offsets == [10, 11, 12, 13, 14, 16, 17, 18, 19]
