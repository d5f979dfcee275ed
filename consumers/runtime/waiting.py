"""Records of retry topics: taken when they are due, sent on when their topic's delay is over and they are not.

In a topic of one delay the head is always the next whose turn comes. Until then nothing is taken from its partition, so
that what waits fills neither the memory nor the agent's bound on records in hand.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from consumers.runtime.assignment import Assignment
from consumers.runtime.membership import Membership
from consumers.runtime.outputs import SOON_MS
from consumers.runtime.record import Failed, Record
from consumers.runtime.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Retried:
    """A record of a retry topic.

    Attributes:
        record: as it was at its origin, with the attempts made.
        due_ms: when it is to be tried again, in ms since the epoch; None for its topic's delay after it was appended.
        error: class and message of its last failure.
    """

    record: Record
    due_ms: int | None
    error: tuple[str, str]


class Taken(NamedTuple):
    """A record that is taken from its retry topic: to be tried at `due_ms` (since the epoch), or to wait on elsewhere."""

    retried: Retried
    due_ms: int
    onward: bool


def sort_out(retried: list[Retried], *, delay_s: int, now_ms: int) -> tuple[list[Taken], tuple[Record, int] | None]:
    """Tell what is due from what is not; pure.

    Args:
        retried: of one partition, in offset order.
        delay_s: the topic's, in seconds.
        now_ms: milliseconds since the epoch.

    Returns:
        What is taken, and the first whose turn has not come, with the moment when it does; what follows it is left.
    """
    taken: list[Taken] = []
    for each in retried:
        turn_ms = each.record.timestamp_ms + delay_s * 1000
        due_ms = turn_ms if each.due_ms is None else each.due_ms
        if due_ms > now_ms + SOON_MS and turn_ms > now_ms:
            return taken, (each.record, min(turn_ms, due_ms))
        taken.append(Taken(each, due_ms, onward=due_ms > now_ms + SOON_MS))
    return taken, None


class Waiting:
    """Takes records from retry topics; the runner's thread alone calls it.

    Args:
        membership: pauses partitions.
        settlement: sends records on.
    """

    def __init__(self, membership: Membership, settlement: Settlement) -> None:
        self._membership = membership
        self._settlement = settlement

    def take(
        self,
        assignment: Assignment,
        retried: list[Retried],
        queue: Callable[[Assignment, list[Record], set[int]], None],
    ) -> None:
        """Queue what is due, send on what waits elsewhere, and leave the rest until its turn comes.

        Args:
            assignment: of the retry topic's partition.
            retried: in offset order.
            queue: notes records as delivered, and lanes those whose offsets are not in the set.
        """
        now_ms, now_s = time.time_ns() // 1_000_000, time.monotonic()
        fresh = [each for each in retried if each.record.offset >= assignment.watermark.highest]
        taken, head = sort_out(fresh, delay_s=assignment.retry_delay_s or 0, now_ms=now_ms)
        later = [each for each in taken if each.onward or each.due_ms > now_ms]
        # What the partition's last owner has finished beyond its commit waits for nothing: it is finished as it is queued.
        later = [each for each in later if not assignment.is_done(each.retried.record.offset)]
        records = [each.retried.record for each in taken]
        queue(assignment, records, {each.retried.record.offset for each in later})
        for each in later:
            record = each.retried.record
            if each.onward:
                error_class, message = each.retried.error
                failure = Failed(kind="retry", error_class=error_class, message=message)
                self._settlement.postpone(assignment, record, failure, due_ms=each.due_ms)
            else:
                assignment.lanes.park([record], until_s=now_s + (each.due_ms - now_ms) / 1000)
        if head is not None:
            self._membership.wait(assignment, head[0].offset, until_s=now_s + (head[1] - now_ms) / 1000)
