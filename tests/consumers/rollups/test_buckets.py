from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.rollups import buckets
from tests.support.activity import bucket_of

values = st.lists(st.integers(0, 100) | st.integers(0, 2**31 - 1), min_size=1, max_size=200)
PARTS = (Fraction(1, 2), Fraction(95, 100), Fraction(99, 100), Fraction(1))


def state_of(numbers: list[int]) -> bytes:
    return buckets.add(b"", np.array(numbers, np.int64))


@given(values)
def test_percentiles_are_at_most_one_percent_off_the_nearest_rank(numbers: list[int]) -> None:
    ranked = sorted(numbers)
    exact = [ranked[-(-len(ranked) * part.numerator // part.denominator) - 1] for part in PARTS]
    for found, true in zip(buckets.percentiles(state_of(numbers), PARTS), exact, strict=True):
        assert abs(found - true) <= true * 0.01 + 1e-9


@given(st.integers(0, 48))
def test_small_values_are_exact(number: int) -> None:
    assert buckets.percentiles(state_of([number]), [Fraction(1, 2)]) == [pytest.approx(number)]


@given(values, values)
def test_the_state_does_not_depend_on_order_or_grouping(one: list[int], other: list[int]) -> None:
    together = state_of(one + other)
    assert state_of((one + other)[::-1]) == together
    assert buckets.add(state_of(one), np.array(other, np.int64)) == together
    assert buckets.merge([state_of(other), state_of(one)]) == together


@given(st.integers(0, 2**41))
def test_a_value_lies_in_the_bucket_that_whole_number_arithmetic_gives(number: int) -> None:
    expected = bucket_of(min(number, 2**40))
    assert int.from_bytes(state_of([number])[:2], "little") == expected


def test_an_empty_state_has_zero_percentiles() -> None:
    assert buckets.percentiles(b"", PARTS) == [0.0] * 4
