"""What the broker says of offsets, where it says nothing of the kind."""

import pytest
from confluent_kafka import OFFSET_INVALID, KafkaException, TopicPartition

from consumers.runtime.broker_view import _known, is_final


def test_an_offset_that_nobody_knows_is_no_offset_and_is_asked_again():
    with pytest.raises(KafkaException, match=r"nobody says where orders\.placed begins or ends") as error:
        _known(TopicPartition("orders.placed", 0), OFFSET_INVALID)
    assert not is_final(error.value)


@pytest.mark.parametrize("offset", [-1, 0, 7])
def test_an_offset_is_taken_as_it_is(offset):
    assert _known(TopicPartition("orders.placed", 0), offset) == offset
