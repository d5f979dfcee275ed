"""The demo's activity: skewed, slightly out of order, the same each time."""

from collections import Counter
from itertools import accumulate, islice
from statistics import median

import pytest

from demo.activity import COUNT, OUT_OF_ORDER_S, SPAN_S, USERS, activities
from schemas.event import now_us
from schemas.records import ActivityRecorded

START_US = 1_760_000_000_000_000


@pytest.fixture(scope="module")
def events() -> list[ActivityRecorded]:
    return list(activities(start_us=START_US))


def test_there_are_200_000_events_with_ids_of_their_own(events: list[ActivityRecorded]) -> None:
    assert len(events) == len({event.event_id for event in events}) == COUNT == 200_000
    assert all(event.event_id[14] == "7" and event.event_id[19] in "89ab" for event in islice(events, 1_000))


def test_they_are_the_same_for_the_same_start(events: list[ActivityRecorded]) -> None:
    assert list(islice(activities(start_us=START_US), 1_000)) == events[:1_000]


def test_a_few_users_do_most_of_it(events: list[ActivityRecorded]) -> None:
    by_user = Counter(event.user_id for event in events)
    assert 10_000 < len(by_user) <= USERS
    assert sum(count for _, count in by_user.most_common(200)) > COUNT / 2


def test_every_kind_occurs_and_only_purchases_have_a_value(events: list[ActivityRecorded]) -> None:
    kinds = Counter(event.kind for event in events)
    assert [kind for kind, _ in kinds.most_common()] == ["view", "click", "search", "purchase"]
    assert {event.kind for event in events if event.value is not None} == {"purchase"}


def test_durations_are_skewed_and_within_bounds(events: list[ActivityRecorded]) -> None:
    durations = [event.duration_ms for event in events]
    assert 190 < median(durations) < 210
    assert 0 <= min(durations) < max(durations) <= 120_000
    assert sum(durations) / COUNT > 1.3 * median(durations)


def test_times_fill_half_an_hour_slightly_out_of_order(events: list[ActivityRecorded]) -> None:
    times = [event.occurred_at for event in events]
    late = [newest - time for newest, time in zip(accumulate(times, max), times, strict=True)]
    assert 0 < max(late) <= OUT_OF_ORDER_S * 1_000_000
    assert min(times) >= START_US
    assert (SPAN_S - 1) * 1_000_000 <= max(times) - START_US <= SPAN_S * 1_000_000


def test_by_default_none_lies_in_the_future() -> None:
    assert max(event.occurred_at for event in activities(1_000)) <= now_us()
