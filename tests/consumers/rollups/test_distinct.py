from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.rollups import distinct


def hashes_of(users: list[str], hasher: distinct.Hasher | None = None) -> distinct.Hashes:
    return (hasher or distinct.hasher()).hashes_of(pl.Series("user_id", users, pl.String))


def state_of(users: list[str]) -> bytes:
    return distinct.add(b"", hashes_of(users))


def many(number: int, offset: int = 0) -> list[str]:
    return [f"user-{index + offset}" for index in range(number)]


@pytest.mark.parametrize("number", [0, 1, 511, 512])
def test_up_to_512_users_the_count_is_exact(number: int) -> None:
    assert distinct.count(state_of(many(number) * 3)) == number


@pytest.mark.parametrize("number", [513, 2_000, 10_000, 100_000])
def test_beyond_512_the_count_keeps_its_standard_error(number: int) -> None:
    errors = [distinct.count(state_of(many(number, offset=round_ * number))) / number - 1 for round_ in range(12)]
    assert np.sqrt(np.mean(np.square(errors))) < 0.016 * 1.6  # 12 rounds: the root mean square itself wobbles by 20 %
    assert max(map(abs, errors)) < 0.016 * 4


@settings(deadline=None)
@given(st.lists(st.integers(0, 900), max_size=900), st.lists(st.integers(0, 900), max_size=900))
def test_the_state_does_not_depend_on_order_grouping_or_repetition(one: list[int], other: list[int]) -> None:
    left, right = [f"u{number}" for number in one], [f"u{number}" for number in other]
    together = state_of(left + right)
    assert state_of((right + left + right)[::-1]) == together
    assert distinct.add(state_of(left), hashes_of(right)) == together
    assert distinct.merge([state_of(right), state_of(left)]) == together


def test_a_hash_never_changes_between_versions() -> None:
    assert distinct.hash_of("anna") == 0x8C4A844BCC7444D0
    assert distinct.hash_of("ünï") == 0x97CD88BA09AF6158


@given(st.lists(st.lists(st.text(max_size=2), max_size=8), max_size=4), st.sampled_from([0, 5]))
def test_whole_columns_have_the_hashes_of_each_user_in_order(columns: list[list[str]], looked_up_from: int) -> None:
    hasher = distinct.Hasher()
    with patch.object(distinct, "_LOOKED_UP_FROM", looked_up_from):
        for users in columns:
            assert hashes_of(users, hasher).tolist() == [distinct.hash_of(user) for user in users]


def test_more_users_than_are_remembered_have_the_same_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distinct, "_REMEMBERED", 10)
    monkeypatch.setattr(distinct, "_LOOKED_UP_FROM", 0)
    hasher = distinct.Hasher()
    for users in (many(7), many(8, offset=5), many(30), many(7), many(12, offset=25)):
        assert hashes_of(users, hasher).tolist() == [distinct.hash_of(user) for user in users]


def test_the_registers_take_4_kib_and_a_tag() -> None:
    assert len(state_of(many(513))) == 4097
