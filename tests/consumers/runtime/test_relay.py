"""The outbox relay: whatever goes wrong within a pass, no message is lost and the next pass publishes."""

import pytest

from consumers.runtime.relay import OutboxRelay
from consumers.runtime.state import OutboxMessage, State
from consumers.runtime.stats import Stats
from producers.memory import MemorySender
from tests.support.flows import eventually

TOPIC = "activity.rolled-up"
IDS = [f"m{number}" for number in range(5)]


class OddError(Exception):
    """What nobody has thought of."""


def odd_once(monkeypatch, owner, method):
    """Let the owner's method raise something odd at its first call."""
    real, calls = getattr(owner, method), []

    def call(*arguments, **options):
        calls.append(method)
        if len(calls) == 1:
            raise OddError("the moon is full")
        return real(*arguments, **options)

    monkeypatch.setattr(owner, method, call)


@pytest.fixture
def state(tmp_path):
    made = State(f"sqlite:///{tmp_path}/headrace.db", group="g")
    with made.plain() as connection:
        made.enqueue(connection, [OutboxMessage(name, TOPIC, name.encode(), b"value") for name in IDS])
    yield made
    made.close()


@pytest.fixture
def waiting(tmp_path, state):
    """Asks, beside the relay's own state, how many messages are still to be published."""
    beside = State(f"sqlite:///{tmp_path}/headrace.db", group="g")
    yield lambda: len(beside.pending(10))
    beside.close()


@pytest.fixture
def sender():
    return MemorySender([TOPIC])


@pytest.fixture
def start_relay(state, sender):
    """A relay of the state's outbox over that sender, stopped at the end."""
    relays = []

    def start():
        relays.append(OutboxRelay("analytics", state, sender, stats=Stats()))
        relays[-1].start()

    yield start
    for relay in relays:
        relay.stop(10.0)


def published(sender):
    """Keys of what was published, each once, in the order of the first time: a message may be published twice."""
    return list(dict.fromkeys(record.key.decode() for record in sender.records))


@pytest.mark.parametrize("method", ["pending", "published"])
def test_an_odd_error_of_the_state_is_told_and_the_next_pass_publishes(
    state, sender, start_relay, waiting, monkeypatch, capfd, method
):
    odd_once(monkeypatch, state, method)
    start_relay()
    eventually(lambda: waiting() == 0)
    assert published(sender) == IDS
    told = "".join(capfd.readouterr())
    assert "outbox_waits" in told
    assert "the moon is full" in told


def test_an_odd_error_of_the_sender_is_told_and_the_next_pass_publishes(
    sender, start_relay, waiting, monkeypatch, capfd
):
    odd_once(monkeypatch, sender, "send")
    start_relay()
    eventually(lambda: waiting() == 0)
    assert published(sender) == IDS
    assert "the moon is full" in "".join(capfd.readouterr())


def test_a_message_that_the_broker_refuses_stays_and_is_published_later(sender, start_relay, waiting):
    sender.fail_next(2)
    start_relay()
    eventually(lambda: waiting() == 0)
    assert sorted(published(sender)) == IDS
