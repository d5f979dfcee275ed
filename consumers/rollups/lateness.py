"""Which records of a batch count: a function of their partition's log alone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from consumers.batch import Batch
from consumers.errors import RejectSome
from consumers.rollups.buckets import Integers
from schemas import names as wire

GRACE_US = 60 * 1_000_000
"""How far an event may lie behind the latest one of its partition and still be counted. One minute covers a producer's retries
and a phone that was briefly without a network; every minute more delays each roll-up by a minute."""
AHEAD_US = 5 * 60 * 1_000_000
"""How far an event may lie ahead of its record's own timestamp: past that its clock is wrong, and would make all others late."""
_COMES_AGAIN = (wire.REPLAY, wire.ATTEMPTS, wire.ORIGIN_TOPIC, wire.REDRIVES)
"""Headers of a record that was retried, redriven or replayed: the delay is ours, not its own."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a batch.

    Attributes:
        late: for each record, whether it came too late to be counted.
        largest_us: the largest occurred_at of the partition's log so far, in microseconds since the epoch.
    """

    late: npt.NDArray[np.bool_]
    largest_us: int


def judge(batch: Batch, occurred_us: Integers, durations_ms: Integers, largest_us: int | None) -> Judged:
    """Tell the late from the others.

    Args:
        batch: the records, for their offsets, timestamps and headers.
        occurred_us: when each happened.
        durations_ms: how long each took.
        largest_us: the largest occurred_at before this batch; None at the start of a log.

    Raises:
        RejectSome: naming every record whose values cannot be right.
    """
    _refuse(batch, occurred_us, durations_ms)
    before = np.maximum.accumulate(occurred_us)
    if largest_us is not None:
        before = np.maximum(before, largest_us)
    # A record is never behind itself, so that the largest up to it serves as well as the largest before it.
    late = occurred_us < before - GRACE_US
    for index in np.flatnonzero(late).tolist():
        late[index] = not any(name in batch.headers[index] for name in _COMES_AGAIN)
    return Judged(late, int(before[-1]))


def _refuse(batch: Batch, occurred_us: Integers, durations_ms: Integers) -> None:
    appended_us = np.fromiter(batch.timestamps_ms, np.int64, len(batch)) * 1000
    ahead = (occurred_us > appended_us + AHEAD_US) & (appended_us >= 0)
    reasons = {
        "occurred_at is more than 5 minutes ahead of the record's timestamp": ahead,
        "occurred_at lies before 1970": occurred_us < 0,
        "duration_ms is negative": durations_ms < 0,
    }
    wrong = {
        batch.offsets[index]: reason for reason, which in reasons.items() for index in np.flatnonzero(which).tolist()
    }
    if wrong:
        raise RejectSome(wrong)
