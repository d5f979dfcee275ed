"""Back-pressure: how much an agent takes before it is done with what it has."""

import time

from consumers.runtime.agent import Agent
from consumers.runtime.assignment import Assignment
from consumers.runtime.bounds import Pace
from consumers.runtime.membership import Membership
from consumers.runtime.outputs import Outputs
from consumers.runtime.stats import Stats

_POLL_RECORDS = 2000
_LEAST = 200
_LEAST_SHARE = 10
_SPARE = 64
"""Room for what comes with the broker's answers, which only a poll hears. To pause instead drops what librdkafka has fetched."""
_MOST_BYTES = 64 * 1024 * 1024
_WORK_AHEAD_S = 4.0
_PAUSE_LATE_S = 1.0
_FIRST_CHUNK_RECORDS = 8
_HELD_OPEN_FACTOR = 5
"""A record that waits for ever must not let the rest of its partition pile up without end: a restart repeats all of it. No more
than this times `max_in_flight` is finished behind it."""
_CHUNK_WORK_S = 0.05
_BRIEF_S = 5e-5
"""A record that takes no longer is not worth the dividing: several at once would not bring more than that costs."""
_BRIEF_RECORDS = 2 * _POLL_RECORDS
"""More in hand would only grow cold: what a turn decodes should still be in the cache when it is handled."""
_CHUNK_RECORDS = 4000


class Flow:
    """Pauses all partitions when about four seconds of work are in hand, and resumes at half of it.

    `pause()` drops librdkafka's prefetched records, which are fetched again on resume: so it comes late and
    whole, after waiting for work to be done (261,000 records/s against 109,000 when pausing at once).

    Args:
        agent: from the catalogue.
        membership: what is owned.
        outputs: where results go, and may have to wait.
        stats: what is counted.
        pace: of a replay that is not to go as fast as it can.

    Attributes:
        finished: how many records are finished since the start.
    """

    def __init__(
        self, agent: Agent, membership: Membership, outputs: Outputs, stats: Stats, *, pace: Pace | None = None
    ) -> None:
        self._pace = pace
        self._agent = agent
        self._membership = membership
        self._outputs = outputs
        self._stats = stats
        self._full_since_s: float | None = None

    @property
    def finished(self) -> int:
        """How many records were handled or dead-lettered."""
        return self._stats.handled + self._stats.dead_lettered

    @property
    def in_hand(self) -> int:
        """How many records are taken and not finished."""
        return sum(a.watermark.unfinished for a in list(self._membership.assignments.values()))

    @property
    def limit(self) -> int:
        """The most records to work on: some seconds of work, within what may be in hand."""
        most = min(self._most, _BRIEF_RECORDS) if self.brief else self._most
        return min(most, max(_LEAST, int(self._stats.rate * _WORK_AHEAD_S)))

    @property
    def _most(self) -> int:
        """The most records in hand, at work or not: within the catalogue's bound and 64 MiB."""
        allowed = self._agent.max_in_flight
        return min(allowed - min(_SPARE, allowed // 10), max(1, int(_MOST_BYTES / max(1.0, self._stats.mean_bytes))))

    @property
    def _at_work(self) -> int:
        """Of the records in hand those that do not wait for a key's next attempt: that is no work, but takes its place."""
        return sum(a.watermark.unfinished - a.lanes.backing_off for a in list(self._membership.assignments.values()))

    @property
    def _left(self) -> int:
        """How many records more may be in hand."""
        return min(self.limit - self._at_work, self._most - self.in_hand)

    @property
    def most_begun(self) -> int:
        """The most records of a partition that may have begun: of an exact agent one batch, behind which nothing begins."""
        return min(self.limit, self._agent.batch_records or 1) if self._agent.exact else self.limit

    @property
    def brief(self) -> bool:
        """Whether a record takes so little time that nothing is won by running several side by side."""
        mean_s = self._stats.mean_s
        return mean_s is not None and mean_s < _BRIEF_S and self._agent.batch_records is None

    @property
    def share(self) -> int:
        """How many records of a partition with suspects may be in hand: such partitions leave half of the limit to others."""
        sources = [a.careful for a in self._membership.assignments.values() if a.retry_delay_s is None]
        careful = max(1, sum(sources))
        return max(_LEAST_SHARE, self.limit // (careful if all(sources) else 2 * careful))

    @property
    def room(self) -> int:
        """How many records may be taken now."""
        if self._stuck:
            return 0
        most = _POLL_RECORDS if self._pace is None else min(_POLL_RECORDS, self._pace.room(time.monotonic()))
        return max(0, min(most, self._left) - 1)

    def took(self, records: int) -> None:
        """Note what was taken, for a replay's pace."""
        if self._pace is not None:
            self._pace.took(records)

    @property
    def full(self) -> bool:
        """Whether no more should be taken: enough is in hand, or what comes of it can't go out."""
        return self._stuck or self._left <= 0

    @property
    def _stuck(self) -> bool:
        return self.congested or (self._pace is not None and self._pace.room(time.monotonic()) < 1)

    @property
    def congested(self) -> bool:
        """Whether results wait for room in the producer's queue: nothing more should be handled."""
        return self._outputs.congested

    @property
    def paused(self) -> bool:
        """Whether the partitions are paused."""
        return self._membership.paused

    @property
    def chunk_records(self) -> int:
        """The size of a chunk: about 50 ms of measured work, so that a drain is short and lanes share the executor."""
        mean_s = self._stats.mean_s
        return _FIRST_CHUNK_RECORDS if mean_s is None else max(1, min(_CHUNK_RECORDS, int(_CHUNK_WORK_S / mean_s)))

    def holds_back(self, now_s: float, *, listens: bool = False) -> bool:
        """Whether nothing should be polled now, because too much is in hand; pauses when that has lasted a second.

        Args:
            now_s: on the clock of `time.monotonic()`.
            listens: whether an answer is awaited that only a poll hears: polling goes on then, which may bring a record a
                time, and pauses at once where not one more may be taken.
        """
        if not self.full or self._membership.paused:
            self._full_since_s = None
            return False
        if self._full_since_s is None:
            self._full_since_s = now_s
        has_room = self.in_hand < self._agent.max_in_flight
        if now_s - self._full_since_s < _PAUSE_LATE_S and (has_room or not listens):
            return not listens
        self._membership.paused = True
        self._membership.set_pauses()
        return False

    def pause_backed_up(self) -> None:
        """Pause each partition in which too much waits for a key's next attempt, or is finished behind a record that is not.

        It alone: the others go on. All that waits so takes half of what may be in hand at most; a partition goes on at half of its
        own part.
        """
        owned = self._membership.assignments.values()
        share = max(1, self._most // (2 * max(1, len(owned))))
        changed = [a for a in owned if a.backed_up != self._backs_up(a, share)]
        for assignment in changed:
            assignment.backed_up = not assignment.backed_up
        if changed:
            self._membership.set_pauses()

    def _backs_up(self, assignment: Assignment, share: int) -> bool:
        bound = share // 2 if assignment.backed_up else share
        behind = assignment.watermark.held_open > _HELD_OPEN_FACTOR * self._agent.max_in_flight
        return behind or assignment.lanes.backing_off > bound

    def resume_when_half(self) -> None:
        """Resume when about half of the limit is left."""
        if self._membership.paused and self._at_work <= self.limit // 2 and not self.full:
            self._membership.paused = False
            self._membership.set_pauses()
