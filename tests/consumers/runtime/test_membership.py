"""What is done with a partition between its assignment and its loss, where the client refuses."""

from confluent_kafka import KafkaError, KafkaException

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
