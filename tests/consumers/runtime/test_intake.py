"""How what was polled is cut by partition."""

from itertools import groupby

from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.intake import _by_place

_places = st.tuples(st.sampled_from(["orders.placed", "threads.retry.1s"]), st.integers(0, 2))


@given(st.lists(_places, max_size=20))
def test_messages_come_in_runs_of_one_partition_and_none_is_left_out(places):
    messages = [Message(topic=topic, partition=number, offset=at) for at, (topic, number) in enumerate(places)]
    runs = [*_by_place(messages)]
    assert [message for _, run in runs for message in run] == messages
    assert [place for place, _ in runs] == [place for place, _ in groupby(places)]
    for place, run in runs:
        assert {(message.topic(), message.partition()) for message in run} == {place}
