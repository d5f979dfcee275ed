"""Percentiles from counts per logarithmic bucket: exact to add and to merge, at most 1 % off to read.

The idea is DDSketch's (Masson, Rim, Lee, VLDB 2019); the bounds here are whole numbers, so that no rounding of a logarithm
can ever put a value into another bucket on another machine. A t-digest was rejected: it depends on how the data were cut.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Counts: TypeAlias = npt.NDArray[np.int64]
Integers: TypeAlias = npt.NDArray[np.int64]

RELATIVE_ERROR = Fraction(1, 100)
_LARGEST = 1 << 40
"""Values above it count as it: 12 days in microseconds, 34 years in milliseconds."""
_INDEX = np.dtype("<u2")
_COUNT = np.dtype("<i8")
_ENTRY_BYTES = _INDEX.itemsize + _COUNT.itemsize


def _upper_bounds() -> list[int]:
    """The largest value of each bucket; a bucket from `low` reaches as far as its middle is at most 1 % off."""
    ratio = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
    bounds = [0]
    while bounds[-1] < _LARGEST:
        low = bounds[-1] + 1
        bounds.append(int(low * ratio))
    return bounds


_UPPER = np.array(_upper_bounds(), dtype=np.int64)
_LOWER = np.concatenate([np.zeros(1, np.int64), _UPPER[:-1] + 1])
BUCKETS = len(_UPPER)


def add(state: bytes, values: Integers) -> bytes:
    """The state with whole numbers of 0 or more counted in."""
    indexes = np.searchsorted(_UPPER, np.minimum(values, _LARGEST), side="left")
    return _pack(_unpack(state) + np.bincount(indexes, minlength=BUCKETS))


def merge(states: Iterable[bytes]) -> bytes:
    """One state for all that any of them has counted."""
    return _pack(sum((_unpack(state) for state in states), np.zeros(BUCKETS, np.int64)))


def percentiles(state: bytes, parts: Sequence[Fraction]) -> list[float]:
    """The values at these parts of the whole, by nearest rank, each at most 1 % off; zeros for an empty state.

    Args:
        state: as `add` returned it.
        parts: such as `Fraction(99, 100)`, above 0 and at most 1.
    """
    reached = np.cumsum(_unpack(state))
    total = int(reached[-1])
    if total == 0:
        return [0.0] * len(parts)
    ranks = [-(-total * part.numerator // part.denominator) for part in parts]
    return [_middle(int(index)) for index in np.searchsorted(reached, ranks, side="left")]


def _middle(index: int) -> float:
    """The value that is equally far, relatively, from both ends of a bucket: the harmonic mean."""
    low, high = int(_LOWER[index]), int(_UPPER[index])
    return 2 * low * high / (low + high) if high else 0.0


def _pack(counts: Counts) -> bytes:
    """The buckets that are used: all indexes, rising, then all counts."""
    used = np.flatnonzero(counts)
    return used.astype(_INDEX).tobytes() + counts[used].astype(_COUNT).tobytes()


def _unpack(state: bytes) -> Counts:
    counts = np.zeros(BUCKETS, np.int64)
    entries = len(state) // _ENTRY_BYTES
    indexes = np.frombuffer(state, _INDEX, entries)
    counts[indexes] = np.frombuffer(state, _COUNT, entries, entries * _INDEX.itemsize)
    return counts
