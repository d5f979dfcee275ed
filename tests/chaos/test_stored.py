"""What the harness makes of analytics' stored offsets: made by hand."""

import pytest

from tests.chaos.stored import StoredOffsets

_S = 1_000_000_000


@pytest.fixture
def seen(tmp_path):
    stored = StoredOffsets(f"sqlite:///{tmp_path / 'headrace.db'}", "analytics", "a-topic-s-id")
    yield stored
    stored.close()


def test_a_commit_beyond_what_is_stored_in_the_same_moment_is_seen(seen):
    seen.note({0: 10, 1: 5}, {0: 10, 1: 4}, 1 * _S)
    assert seen.ahead == []
    seen.note({0: 10, 1: 5}, {0: 11, 2: 1}, 2 * _S)
    assert seen.ahead == [
        "partition 0: 11 was committed, and the rows reach 10",
        "partition 2: 1 was committed, and the rows reach 0",
    ]


def test_a_recovery_lasts_until_the_last_partition_goes_on_and_what_the_dead_one_stored_is_none(seen):
    seen.note({0: 10, 1: 5}, {}, 1 * _S)
    seen.note({0: 11, 1: 5}, {}, int(2.05 * _S))  # stored just before the kill, and seen after it
    seen.note({0: 11, 1: 9}, {}, 3 * _S)
    seen.note({0: 12, 1: 9}, {}, 6 * _S)
    assert seen.recoveries_s([2 * _S]) == [4.0]
    assert seen.recoveries_s([7 * _S]) == []  # nothing was left to do
