"""Transactions: all of their records or none, and of two senders with one id the newer alone."""

from contextlib import suppress

import pytest

from producers.transactional import SupersededError, TransactionalSender
from tests.support.flows import eventually
from tests.support.topics import read_all


@pytest.fixture
def open_sender(settings):
    made = []

    def make():
        made.append(TransactionalSender(settings, client_id="test", transactional_id=f"{settings.prefix}test"))
        return made[-1]

    yield make
    for sender in made:
        sender.close(1.0)


def values(settings, topic):
    return sorted(message.value() for message in read_all(settings.bootstrap_servers, topic))


def test_what_an_exception_ends_is_not_in_the_log_and_what_follows_is(settings, make_topic, open_sender):
    topic, sender = make_topic("t"), open_sender()
    with suppress(KeyError), sender.transaction():
        sender.send(topic, b"aborted")
        raise KeyError
    with sender.transaction():
        sender.send(topic, b"one")
        sender.send(topic, b"two")
    # A transaction's end is answered before its markers are written.
    eventually(lambda: values(settings, topic) == [b"one", b"two"])


def test_a_newer_sender_of_the_same_id_ends_the_older_in_the_middle_of_a_transaction(settings, make_topic, open_sender):
    topic, older, newer = make_topic("t"), open_sender(), []

    def overtaken():
        with older.transaction():
            older.send(topic, b"of the older")
            older.flush(10)
            newer.append(open_sender())

    with pytest.raises(SupersededError):
        overtaken()
    with newer[0].transaction():
        newer[0].send(topic, b"of the newer")
    with pytest.raises(SupersededError), older.transaction():
        pass
    eventually(lambda: values(settings, topic) == [b"of the newer"])
