"""Joining and leaving: what is owned, from where it is read, and what is finished before it is given up."""

from collections.abc import Callable, Iterable
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from consumers.runtime.agent import Agent
from consumers.runtime.assignment import Assignment
from consumers.runtime.metadata import encode_logs
from consumers.runtime.offsets import Committed
from consumers.runtime.starts import Found, LookUp, Place, Starts
from schemas.settings import GroupProtocol

log = structlog.get_logger("headrace.agent")

_NOWHERE = 0
"""Where a partition stands, paused, whose start is not known yet. Should librdkafka fetch from there all the same, later, it
gets what is passed over. From the log's end, which it was once, it would pass over what is not handled."""
_AT_ONCE_S = 0.2
"""How long an assignment waits for its starts: they take 10 ms, and a group that is ready at once starts without a detour.
Nothing else happens meanwhile, of the partitions that stay either."""
_WAKE_S = 0.05
_LATEST = -1
"""In a request for offsets by time: the log's end (KIP-79)."""


class Membership:
    """The partitions that this consumer owns, by the rebalance callbacks; all in the runner's thread, inside `poll`.

    Args:
        agent: from the catalogue.
        memory: the partition whose commit remembers which logs the group has read.
        drain: lets the work of these partitions be finished within so many seconds.
        give_up: ends what is not.
        looked_up: called, from another thread, when it is known where partitions start; `place` takes it from there.

    Attributes:
        assignments: what is owned now, by (topic, partition).
        joined: whether the group has answered once, if only with an empty assignment.
        paused: whether all partitions are paused for back-pressure.
        keeps_marks: whether it leaves as if it had died, where work is unfinished: a handler hangs, and the next owner's would too.
    """

    def __init__(
        self,
        agent: Agent,
        *,
        memory: Place,
        drain: Callable[[list[Assignment], float], object],
        give_up: Callable[[list[Assignment]], None],
        looked_up: Callable[[LookUp], None],
    ) -> None:
        self._agent = agent
        self._memory = memory
        self._protocol: GroupProtocol = "consumer"
        self._drain = drain
        self._give_up = give_up
        self._looked_up = looked_up
        self._consumer: Consumer | None = None
        self._starts: Starts | None = None
        self._former: dict[Place, Committed] = {}
        self.assignments: dict[Place, Assignment] = {}
        self.joined = False
        self.paused = self.keeps_marks = False
        self._asleep = False
        self._unfetched: set[Place] = set()

    def subscribe(self, consumer: Consumer, starts: Starts, topics: list[str], *, protocol: GroupProtocol) -> None:
        """Join the group."""
        self._consumer, self._starts, self._protocol = consumer, starts, protocol
        consumer.subscribe(topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost)

    def restart(self, assignment: Assignment) -> None:
        """Start an owned partition anew where it stands now: a fenced writer, or a log that was replaced."""
        self._let_go([assignment])
        if self.assignments.get(assignment.place) is not assignment:
            return  # it is being revoked: the next owner starts it
        _, starts = self._parts()
        sought = starts.look_up([assignment.place], self._former)
        self.assignments |= sought.waiting
        self.set_pauses()
        self._await(sought)

    def fenced(self, assignment: Any) -> None:
        """Another writer moved this partition's stored offset: go on where that stands."""
        log.warning("fenced", agent=self._agent.name, topic=assignment.topic, partition=assignment.partition)
        self.restart(assignment)

    def place(self, sought: LookUp) -> None:
        """Take partitions whose start has become known; those that are gone meanwhile are another's now.

        Raises:
            KafkaException: when the broker forbids what has to be known.
        """
        found = sought.found.result()
        consumer, _ = self._parts()
        for place, fresh in found.assignments.items():
            if self.assignments.get(place) is sought.waiting[place]:
                self.assignments[place] = fresh
                if fresh.stopped is None:
                    self._move_to(fresh)
        self.set_pauses()
        self._take_note(consumer, found)

    def fetch_again(self, assignment: Assignment) -> None:
        """Fetch from where the assignment starts, once more: nothing of it was taken yet."""
        self._move_to(assignment)
        self.set_pauses()

    def wake(self) -> None:
        """Have what was paused, by a rebalance or here, fetched again at once. Not to be called within a rebalance callback.

        librdkafka pauses all partitions for such a callback, and its broker threads look but once a second whether one is to be
        fetched again, where no request wakes them. So each leader is asked for something; its answer is of no use. Of the
        partitions that stay the longest pause is 0.15 s so, and 1.0 s without it (`python -m bench.limits --only rebalance`).
        """
        if not self._asleep:
            return
        self._asleep = False
        consumer, _ = self._parts()
        staying = [TopicPartition(*a.place, _LATEST) for a in self.assignments.values() if not a.unfetched]
        if staying and not self.paused:
            try:
                consumer.offsets_for_times(staying, timeout=_WAKE_S)
            except KafkaException as error:
                log.debug("wake_unanswered", agent=self._agent.name, reason=error.args[0].str())

    def set_pauses(self) -> None:
        """Set the pause state of every owned partition: librdkafka keeps it across assignments, even of partitions lost between."""
        consumer, _ = self._parts()
        owned = self.assignments.values()
        unfetched = {a.place for a in owned if self.paused or a.unfetched}
        quiet = [TopicPartition(*a.place) for a in owned if a.place in unfetched]
        open_ = [TopicPartition(*a.place) for a in owned if a.place not in unfetched]
        if quiet:
            consumer.pause(quiet)
        if open_:
            consumer.resume(open_)
        self._asleep = self._asleep or bool(self._unfetched - unfetched)
        self._unfetched = unfetched

    def wait(self, assignment: Assignment, offset: int, *, until_s: float) -> None:
        """Take nothing from a partition until its record at this offset is due; what follows it is fetched again then."""
        assignment.resume_s = until_s
        self._rest(assignment, offset)

    def sate(self, assignment: Assignment, offset: int) -> None:
        """Take nothing from a partition until half of what is in hand of it is finished; from this offset on it is fetched again."""
        assignment.sated = True
        self._rest(assignment, offset)

    def _rest(self, assignment: Assignment, offset: int) -> None:
        """Pause it; from this offset on it is fetched again. Where it is not being fetched, its start is asked for once more."""
        consumer, _ = self._parts()
        assignment.end = -1
        try:
            consumer.seek(TopicPartition(*assignment.place, offset))
        except KafkaException as error:  # another event says why: it is out of its log, or assigned anew
            facts = {"topic": assignment.topic, "partition": assignment.partition, "reason": error.args[0].str()}
            log.info("not_fetched", agent=self._agent.name, **facts)
            self.restart(assignment)
            return
        self.set_pauses()

    def resume_due(self, now_s: float, share: int) -> None:
        """Go on with the partitions whose next record is due, or that have half of their share of the room again.

        Args:
            now_s: on the clock of `time.monotonic()`.
            share: how many records a partition with suspects may have in hand.
        """
        owned = self.assignments.values()
        due = [a for a in owned if a.resume_s is not None and a.resume_s <= now_s]
        due += [a for a in owned if a.sated and (a.watermark.unfinished <= share // 2 or not a.has_untried)]
        for assignment in due:
            assignment.resume_s, assignment.sated = None, False
        if due:
            self.set_pauses()

    def misfit(self, places: list[Place]) -> None:
        """A commit that the broker says is out of range: start those partitions anew, by the agent's policy."""
        for place in places:
            if place in self.assignments and self.assignments[place].stopped is None:
                self.restart(self.assignments[place])

    def compare_id(self, topic: str, topic_id: str) -> None:
        """A live consumer reads on in a recreated topic from its old position, without an error: so its id is compared."""
        for assignment in [a for a in self.assignments.values() if a.topic == topic and a.stopped is None]:
            if assignment.topic_id != topic_id:
                self.restart(assignment)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Take partitions where they start; those whose start is not known in time are taken paused."""
        self.joined = self._asleep = True
        places = [(partition.topic, partition.partition) for partition in partitions]
        _, starts = self._parts()
        sought = starts.look_up(places, self._former)
        try:
            found = sought.found.result(_AT_ONCE_S) if places else None
        except TimeoutError:
            found = None
            self._await(sought)
        ready = found.assignments if found else {}
        taken = sought.waiting | ready
        offsets = [
            TopicPartition(*place, taken[place].watermark.committable if place in ready else _NOWHERE)
            for place in taken
        ]
        if self._protocol == "classic":
            consumer.assign(offsets)
        else:
            consumer.incremental_assign(offsets)
        self.assignments |= taken
        self.set_pauses()
        log.info("assigned", agent=self._agent.name, partitions=_told(places))
        if found is not None:
            self._take_note(consumer, found)

    def _await(self, sought: LookUp) -> None:
        sought.found.add_done_callback(lambda _: self._looked_up(sought))

    def _move_to(self, fresh: Assignment) -> None:
        """Fetch from where the assignment starts. Not by `seek`, which refuses a partition that had no fetch position."""
        consumer, _ = self._parts()
        if self._protocol == "classic":
            owned = self.assignments.values()
            consumer.assign([TopicPartition(*a.place, _NOWHERE if a.stopped else a.watermark.highest) for a in owned])
        else:
            consumer.incremental_unassign([TopicPartition(*fresh.place)])
            consumer.incremental_assign([TopicPartition(*fresh.place, fresh.watermark.committable)])

    def _take_note(self, consumer: Consumer, found: Found) -> None:
        """Commit the ids of the logs that the group reads, in the metadata of a partition of its own; await the rest."""
        if found.logs is not None:
            note = TopicPartition(*self._memory, 0, metadata=encode_logs(found.logs))
            consumer.commit(offsets=[note], asynchronous=True)
        if found.rest is not None:
            self._await(found.rest)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._asleep = True
        leaving = self._taken_out(partitions)
        self._drain(leaving, self._agent.drain_s)
        for assignment in leaving:
            if not (self.keeps_marks and assignment.watermark.unfinished):
                assignment.leave()
        offsets = [offset for assignment in leaving if (offset := assignment.due_commit()) is not None]
        self._let_go(leaving)
        if offsets:
            self._commit_now(consumer, offsets)
        log.info("revoked", agent=self._agent.name, partitions=_told([a.place for a in leaving]))

    def _on_lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        leaving = self._taken_out(partitions)
        self._let_go(leaving)
        log.warning("lost", agent=self._agent.name, partitions=_told([a.place for a in leaving]))

    def _taken_out(self, partitions: Iterable[TopicPartition]) -> list[Assignment]:
        places = [(partition.topic, partition.partition) for partition in partitions]
        return [assignment for place in places if (assignment := self.assignments.pop(place, None)) is not None]

    def _let_go(self, leaving: list[Assignment]) -> None:
        """End what still runs, and remember how far each log was covered: a deleted topic takes the group's commits along."""
        # A stopped one has covered nothing of the log that it stands in: what was known before it still counts.
        covered = [assignment for assignment in leaving if assignment.stopped is None]
        self._former |= {a.place: Committed(a.watermark.committable, a.topic_id) for a in covered}
        self._give_up(leaving)

    def _commit_now(self, consumer: Consumer, offsets: list[TopicPartition]) -> None:
        """The last commit of a revoked partition; when it fails, the next owner repeats a little."""
        try:
            consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            log.warning("last_commit_failed", agent=self._agent.name, reason=error.args[0].str())

    def _parts(self) -> tuple[Consumer, Starts]:
        if self._consumer is None or self._starts is None:
            raise RuntimeError("the consumer is not subscribed yet")
        return self._consumer, self._starts


def _told(places: list[Place]) -> Any:
    """Partitions as a log line shows them: topic[0,1,2]."""
    topics: dict[str, list[int]] = {}
    for topic, partition in sorted(places):
        topics.setdefault(topic, []).append(partition)
    return " ".join(f"{topic}{numbers}".replace(" ", "") for topic, numbers in topics.items()) or "none"


def drained(assignments: list[Assignment], horizons: dict[Assignment, int]) -> bool:
    """Whether everything below each one's horizon is finished, or waits for a retry.

    The horizon is the highest offset that was handed over, whether it runs, waits for the broker or is finished. Ending
    each lane after its record in hand instead leaves holes: 4 done, 1 committed, 3 repeated.
    """
    return all(not a.out and not a.lanes.waiting_below(horizons[a]) for a in assignments)
