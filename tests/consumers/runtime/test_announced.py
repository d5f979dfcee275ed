"""Nothing starts that the broker does not know of, and nothing waits longer than the broker's answer."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.runtime.announced import Announced


def test_at_the_beginning_nothing_is_known_and_a_commit_is_due_at_once():
    announced = Announced(100, lanes=4, chunk=8)
    assert (announced.known, announced.short, announced.due) == (100, True, True)
    assert announced.say(100) == 132
    assert (announced.short, announced.due) == (True, False)
    announced.heard(132)
    assert (announced.known, announced.short, announced.due) == (132, False, False)


def test_what_is_said_ahead_grows_with_what_was_started_while_an_answer_was_on_its_way():
    announced = Announced(0, lanes=1, chunk=10)
    said = announced.say(0)
    ahead = []
    for _ in range(5):
        announced.heard(said)
        announced.wait_for(announced.known)
        reached = announced.known
        said = announced.say(reached)
        ahead.append(said - reached)
    assert ahead == [20, 40, 80, 160, 320]


def test_a_topic_with_gaps_is_not_said_record_by_record():
    announced = Announced(0, lanes=1, chunk=1)
    for offset in (1_000_000, 2_000_000):
        announced.wait_for(offset)
        announced.heard(announced.say(0))
    assert announced.known == 4_000_000


@given(st.lists(st.one_of(st.integers(1, 500), st.sampled_from(["say", "answer", "lose"])), max_size=60))
def test_what_may_start_was_always_said_before_and_a_short_one_always_gets_on(steps):
    announced, reached, highest, on_their_way = Announced(0, lanes=2, chunk=4), 0, 0, []
    for step in [*steps, "lose", "say", "answer"]:
        if step == "say":
            on_their_way.append(announced.say(reached))
            highest = max(highest, on_their_way[-1])
        elif step == "answer" and on_their_way:
            announced.heard(on_their_way.pop(0))
        elif step == "lose":
            on_their_way.clear()
            announced.forget()
        elif isinstance(step, int):
            reached = min(reached + step, announced.known)
            announced.wait_for(reached)
        assert announced.known <= highest
    assert not announced.short
