"""How what was polled is cut by partition."""

from itertools import groupby

from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.assignment import Assignment
from consumers.runtime.intake import Intake, _by_place
from consumers.runtime.kit import open_together
from consumers.runtime.local import agent_named
from consumers.runtime.metadata import Hold, Note
from consumers.runtime.offsets import Start
from consumers.runtime.stats import Stats
from consumers.runtime.suspects import Suspects
from tests.support.flows import eventually
from tests.support.kits import order_record, shop_kit

_places = st.tuples(st.sampled_from(["orders.placed", "threads.retry.1s"]), st.integers(0, 2))


@given(st.lists(_places, max_size=20))
def test_messages_come_in_runs_of_one_partition_and_none_is_left_out(places):
    messages = [Message(topic=topic, partition=number, offset=at) for at, (topic, number) in enumerate(places)]
    runs = [*_by_place(messages)]
    assert [message for _, run in runs for message in run] == messages
    assert [place for place, _ in runs] == [place for place, _ in groupby(places)]
    for place, run in runs:
        assert {(message.topic(), message.partition()) for message in run} == {place}


class Owned:
    """A membership of two partitions."""

    def __init__(self, agent):
        places = [("orders.placed", partition) for partition in (0, 1)]
        self.assignments = {place: Assignment.of(agent, *place, Note("id"), Start(0), committed=-1) for place in places}
        self.fetched_again = []

    def fetch_again(self, assignment):
        self.fetched_again.append(assignment.partition)


@given(st.lists(st.integers(0, 1), max_size=80))
def test_what_one_poll_brings_of_several_partitions_is_laned_each_in_its_order(brought):
    kit = shop_kit()
    agent = agent_named(kit, "threads")
    owned, offsets, messages, value = Owned(agent), [0, 0], [], order_record(kit, 0).value
    for partition in brought:
        messages.append(
            Message(topic="orders.placed", partition=partition, offset=offsets[partition], key=b"k", value=value)
        )
        offsets[partition] += 1
    assert Intake(agent, owned, None, None, Stats(), together=None).accept(messages) == []
    assert owned.fetched_again == []
    for (_, partition), assignment in owned.assignments.items():
        cut = assignment.lanes.take(100)
        assert [record.offset for record in (cut[1] if cut else [])] == list(range(offsets[partition]))


def placed(kit, *offsets):
    value = order_record(kit, 0).value
    return [Message(topic="orders.placed", partition=0, offset=at, key=b"k", value=value) for at in offsets]


def test_what_does_not_begin_at_the_start_is_fetched_once_more_and_believed_then():
    kit = shop_kit()
    agent = agent_named(kit, "threads")
    owned = Owned(agent)
    assignment = owned.assignments["orders.placed", 0]
    intake = Intake(agent, owned, None, None, Stats(), together=None)
    intake.accept(placed(kit, 5, 6))
    assert owned.fetched_again == [0]
    assert assignment.watermark.highest == 0
    intake.accept(placed(kit, 5, 6))
    assert owned.fetched_again == [0], "what lies below was compacted away"
    assert assignment.watermark.highest == 7
    intake.accept(placed(kit, 9))
    assert (owned.fetched_again, assignment.watermark.highest) == ([0], 10)


class Share:
    """A flow that allows so many records in hand of a partition with suspects."""

    share = 4


class Sated(Owned):
    """Notes from where a partition is to be fetched again."""

    def __init__(self, agent):
        super().__init__(agent)
        self.again = []

    def sate(self, assignment, offset):
        assignment.sated = True
        self.again.append((assignment.partition, offset))


@given(
    polls=st.lists(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3)), max_size=12), max_size=8),
    done=st.sets(st.integers(0, 30)),
)
def test_of_a_partition_with_suspects_no_more_than_its_share_is_taken_and_nothing_is_passed_over(polls, done):
    kit = shop_kit()
    agent = agent_named(kit, "threads")
    owned = Sated(agent)
    careful = owned.assignments["orders.placed", 0]
    careful.done = bytes(at in done for at in range(31))
    careful.held_by(Hold("it", 0, 2), Suspects(until=1_000, most=1_000))
    intake = Intake(agent, owned, None, Share(), Stats(), together=None)
    value, nexts = order_record(kit, 0).value, [0, 0]
    for poll in polls:
        messages = []
        for partition, count in poll:
            offsets = range(nexts[partition], nexts[partition] + count)
            nexts[partition] += count
            messages += [
                Message(topic="orders.placed", partition=partition, offset=at, key=b"k", value=value) for at in offsets
            ]
        intake.accept(messages)
        assert careful.watermark.unfinished <= Share.share
        if careful.sated:
            assert owned.again[-1] == (0, careful.watermark.highest), "what is left is fetched again from its first on"
            assert careful.quiet
            nexts[0] = careful.watermark.highest
            if cut := careful.lanes.take(Share.share):
                careful.watermark.finish([record.offset for record in cut[1]])
                careful.lanes.release(cut[0])
            careful.sated = False
    assert careful.watermark.highest == nexts[0]
    assert owned.assignments["orders.placed", 1].watermark.highest == nexts[1]


class Postponing:
    """What takes records of retry topics: the first is not due, and from it on all is fetched again."""

    def __init__(self):
        self.taken = []

    def take(self, assignment, retried, queue):
        self.taken += [each.record.offset for each in retried]
        assignment.resume_s = 1e9


def test_what_follows_in_the_same_poll_on_a_record_that_is_not_due_is_left_to_be_fetched_again():
    """Taken, it would lie beyond a gap, and the record that is not due would be committed over."""
    kit = shop_kit()
    agent = agent_named(kit, "threads")
    owned, waiting = Owned(agent), Postponing()
    retry = owned.assignments["orders.placed", 0]
    retry.retry_delay_s = 1
    value = order_record(kit, 0).value
    places = [(0, 0), (0, 1), (1, 0), (0, 2), (0, 3)]
    messages = [
        Message(topic="orders.placed", partition=partition, offset=at, key=b"k", value=value)
        for partition, at in places
    ]
    Intake(agent, owned, waiting, None, Stats(), together=None).accept(messages)
    assert waiting.taken == [0, 1]


def test_for_coroutines_what_comes_is_decoded_as_it_comes_but_not_before_the_owners_mark_is_told():
    """Of what kills while it is decoded, the owner would die unmarked, each time anew."""
    kit = shop_kit()
    agent = agent_named(kit, "asyncio")
    owned = Owned(agent)
    assignment = owned.assignments["orders.placed", 0]
    assignment.held_by(Hold("it", 0), Suspects())
    together = open_together(agent, kit)
    eventually(lambda: together.decode([order_record(kit, 0).value] * 100))
    intake = Intake(agent, owned, None, None, Stats(), together=together)
    intake.accept(placed(kit, *range(40)))
    lane, records = assignment.lanes.take(40)
    assert assignment.take_events(records) is None
    assignment.lanes.release(lane)
    assignment.marked = True
    intake.accept(placed(kit, *range(40, 80)))
    _, records = assignment.lanes.take(100)
    assert [event.order_id for event in assignment.take_events(records)] == ["o0"] * 40
    assert assignment.take_events(records) is None, "an event is taken once"


def test_only_coroutines_have_their_records_decoded_by_the_agents_thread():
    kit = shop_kit()
    for name in ("inline", "threads", "processes"):
        assert open_together(agent_named(kit, name), kit) is None
