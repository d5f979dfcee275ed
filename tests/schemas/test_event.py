import uuid

from hypothesis import given
from hypothesis import strategies as st

from schemas.event import derived_event_id, new_event_id, now_us

TIMES_US = st.integers(0, 2**47 * 1000)


def test_a_new_id_is_a_uuid_of_version_7_whose_time_is_now() -> None:
    before, made, after = now_us() // 1000, uuid.UUID(new_event_id()), now_us() // 1000
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= after


def test_ids_do_not_repeat() -> None:
    assert len({new_event_id() for _ in range(10_000)}) == 10_000


@given(TIMES_US, st.text(), st.text(), st.integers(0, 9))
def test_a_derived_id_is_the_same_at_every_replay(time_us: int, source: str, agent: str, index: int) -> None:
    first = derived_event_id(occurred_at_us=time_us, source=source, agent=agent, index=index)
    again = derived_event_id(occurred_at_us=time_us, source=source, agent=agent, index=index)
    parsed = uuid.UUID(first)
    assert first == again == str(parsed)
    assert (parsed.version, parsed.variant, parsed.int >> 80) == (7, uuid.RFC_4122, time_us // 1000)


@given(TIMES_US, st.integers(0, 9), st.integers(0, 9))
def test_results_of_one_source_have_ids_of_their_own(time_us: int, one: int, other: int) -> None:
    ids = {derived_event_id(occurred_at_us=time_us, source="s", agent="a", index=index) for index in (one, other)}
    assert len(ids) == len({one, other})
