"""What is done with a partition between its assignment and its loss, where the client refuses."""

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from consumers.runtime.assignment import Assignment
from consumers.runtime.local import agent_named
from consumers.runtime.membership import Membership
from consumers.runtime.metadata import Note
from consumers.runtime.offsets import Start
from consumers.runtime.starts import LookUp
from tests.support.kits import shop_kit


class Refusing:
    """A consumer that is not fetching the partition: it cannot seek in it."""

    def __init__(self):
        self.paused = []

    def subscribe(self, topics, **callbacks):
        """Nothing to join."""

    def seek(self, place):
        raise KafkaException(KafkaError(KafkaError._STATE))

    def pause(self, places):
        self.paused += [place.partition for place in places]

    def resume(self, places):
        """Nothing is fetched."""


class Asked:
    """Starts that are never known."""

    def __init__(self, agent):
        self.agent = agent

    def look_up(self, places, former):
        return LookUp({place: Assignment.waiting(self.agent, *place) for place in places}, dict(former))


def test_a_partition_that_cannot_be_sought_in_is_started_anew_and_costs_the_agent_nothing():
    """Such as one that retention has overtaken while its last fetch was on its way."""
    agent = agent_named(shop_kit(), "threads")
    given_up = []
    membership = Membership(
        agent, memory=("threads.dlq", 0), drain=lambda *_: None, give_up=given_up.extend, looked_up=lambda _: None
    )
    consumer = Refusing()
    membership.subscribe(consumer, Asked(agent), ["orders.placed"], protocol="consumer")
    assignment = Assignment.of(agent, "orders.placed", 0, Note("id"), Start(7), committed=7)
    membership.assignments[assignment.place] = assignment
    membership.sate(assignment, 9)
    assert given_up == [assignment]
    assert membership.assignments[assignment.place].stopped == "it is being looked up where it starts"
    assert consumer.paused == [0]


class Joined:
    """A consumer in a group; tells what its leaders were asked for."""

    def __init__(self):
        self.asked = []

    def subscribe(self, topics, *, on_assign, on_revoke, on_lost):
        self.on_revoke = on_revoke

    def pause(self, places):
        """Nothing is fetched."""

    def resume(self, places):
        """Nothing is fetched."""

    def offsets_for_times(self, places, *, timeout):
        self.asked.append([place.partition for place in places])
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


def owner_of_two():
    """A member with partitions 0 and 1, and its consumer."""
    agent = agent_named(shop_kit(), "threads")
    membership = Membership(
        agent, memory=("threads.dlq", 0), drain=lambda *_: None, give_up=lambda _: None, looked_up=lambda _: None
    )
    consumer = Joined()
    membership.subscribe(consumer, Asked(agent), ["orders.placed"], protocol="consumer")
    for partition in (0, 1):
        fresh = Assignment.of(agent, "orders.placed", partition, Note("id"), Start(0), committed=0)
        membership.assignments[fresh.place] = fresh
    membership.set_pauses()
    return membership, consumer


def test_after_a_rebalance_what_stays_is_fetched_again_without_waiting_for_librdkafka_to_look():
    membership, consumer = owner_of_two()
    membership.wake()
    assert consumer.asked == [], "nothing was paused"
    consumer.on_revoke(consumer, [TopicPartition("orders.placed", 0)])
    assert consumer.asked == [], "not within the callback"
    membership.wake()
    membership.wake()
    assert consumer.asked == [[1]], "once, and an answer is not needed"


def test_what_was_paused_is_fetched_again_without_waiting_for_librdkafka_to_look():
    membership, consumer = owner_of_two()
    membership.paused = True
    membership.set_pauses()
    membership.wake()
    assert consumer.asked == [], "what is paused is to stay asleep"
    membership.paused = False
    membership.set_pauses()
    membership.wake()
    assert consumer.asked == [[0, 1]]
