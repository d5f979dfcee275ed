"""What may be started is said beforehand; and where a record kills all the same unseen, the suspects reach it soon."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.announced import Announced


def announced_from(start, *, lanes=1, chunk=10):
    announced = Announced(start, suspects_until=0, lanes=lanes)
    announced.chunk = chunk
    return announced


def test_at_the_beginning_a_commit_is_due_and_says_all_that_may_be_in_hand():
    announced = announced_from(100)
    assert announced.due(100)
    assert announced.say(100) == 300
    assert not announced.due(100)


def test_what_was_said_is_used_up_before_the_next_chunk_passes_it():
    announced = announced_from(100)
    announced.say(100)
    assert not announced.due(290)
    assert announced.due(291)


def test_twice_what_was_started_since_the_last_commit_is_said_and_at_least_two_chunks_a_lane():
    announced = announced_from(0, lanes=4, chunk=1_000)
    assert [announced.say(reached) for reached in (0, 10_000, 30_000, 30_001)] == [8_000, 30_000, 70_000, 70_000]
    assert announced.say(69_000) > 69_000 + 8_000


def test_an_agent_that_slows_down_takes_nothing_back():
    announced = announced_from(0)
    announced.say(0)
    assert announced.say(1_000) == announced.say(1_001) == 3_000


def test_what_may_not_have_come_to_the_broker_is_due_again():
    announced = announced_from(0)
    said = announced.say(0)
    announced.forget()
    assert announced.due(0)
    assert announced.say(0) == said


@given(st.integers(0, 2**40), st.integers(0, 100_000))
def test_a_record_that_kills_every_owner_before_a_second_commit_is_a_suspect_after_few_deaths(start, far):
    deaths, suspects_until = 0, 0
    while suspects_until <= start + far:
        suspects_until = Announced(start, suspects_until=suspects_until, lanes=1).say(start)
        deaths += 1
    assert deaths <= 6
