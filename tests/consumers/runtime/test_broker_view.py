"""What the broker says of offsets, where it says nothing of the kind."""

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

from consumers.runtime import broker_view
from consumers.runtime.broker_view import BrokerView, _known, is_final
from producers.transactional import TransactionalSender
from tests.support.flows import eventually
from tests.support.stuck_admin import StuckAdmin


def test_an_offset_that_nobody_knows_is_no_offset_and_is_asked_again():
    with pytest.raises(KafkaException, match=r"nobody says where orders\.placed begins or ends") as error:
        _known(TopicPartition("orders.placed", 0), OFFSET_INVALID)
    assert not is_final(error.value)


@pytest.mark.parametrize("offset", [-1, 0, 7])
def test_an_offset_is_taken_as_it_is(offset):
    assert _known(TopicPartition("orders.placed", 0), offset) == offset


def test_a_commit_in_an_open_transaction_is_neither_counted_nor_waited_for(settings, make_topic):
    topic, group = make_topic("t"), f"{settings.prefix}g"
    own = {"bootstrap.servers": settings.bootstrap_servers, "group.id": group}
    consumer, view = Consumer(own), BrokerView(settings)
    sender = TransactionalSender(settings, client_id="test", transactional_id=group)

    def commit(offset):
        sender.commit_with_it([TopicPartition(topic, 0, offset)], consumer.consumer_group_metadata())

    try:
        with sender.transaction():
            commit(3)
        with sender.transaction():
            commit(7)
            assert view.commits(group, [topic])[(topic, 0)].offset == 3
        # The transaction's end is answered before its markers are written.
        eventually(lambda: view.commits(group, [topic])[(topic, 0)].offset == 7)
    finally:
        for each in (sender, consumer, view):
            each.close()


def test_an_admin_client_that_finds_no_controller_any_more_is_replaced(settings, make_topic, monkeypatch):
    monkeypatch.setattr(broker_view, "_RENEWED_EVERY_S", 0.0)
    topic, view = make_topic("t"), BrokerView(settings)
    view._admin = stuck = StuckAdmin()
    with pytest.raises(KafkaException) as error:
        view.topic_ids([topic])
    view.renew_after(KafkaException(KafkaError(KafkaError.NOT_COORDINATOR)))
    assert view._admin is stuck, "a coordinator on its way is no reason"
    view.renew_after(error.value)
    assert list(view.topic_ids([topic])) == [topic]
    view.close()
