"""Joining and leaving: where assigned partitions start, and what is finished before they are given up."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from consumers.runtime.agent import Agent
from consumers.runtime.assignment import Assignment
from consumers.runtime.broker_view import BrokerView, patiently, reason_of
from consumers.runtime.offsets import Committed, Log, Start, start_of
from schemas.settings import GroupProtocol

if TYPE_CHECKING:
    from consumers.runtime.state import Position, State

log = structlog.get_logger("headrace.agent")

Places = list[tuple[str, int]]


class Membership:
    """The partitions that this consumer owns, by the rebalance callbacks; all in the runner's thread, inside `poll`.

    Attributes:
        assignments: what is owned now, by (topic, partition).
        joined: whether the group has answered once, if only with an empty assignment.
        paused: whether all partitions are paused for back-pressure.
    """

    def __init__(
        self,
        agent: Agent,
        group: str,
        *,
        state: "State | None",
        drain: Callable[[list[Assignment], float], object],
        give_up: Callable[[list[Assignment]], None],
    ) -> None:
        self._agent = agent
        self._group = group
        self._protocol: GroupProtocol = "consumer"
        self._state = state
        self._drain = drain
        self._give_up = give_up
        self._consumer: Consumer | None = None
        self._view: BrokerView | None = None
        self._former: dict[tuple[str, int], Committed] = {}
        self.assignments: dict[tuple[str, int], Assignment] = {}
        self.joined = False
        self.paused = False

    def subscribe(self, consumer: Consumer, view: BrokerView, topics: list[str], *, protocol: GroupProtocol) -> None:
        """Join the group."""
        self._consumer, self._view, self._protocol = consumer, view, protocol
        consumer.subscribe(topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost)

    def restart(self, assignment: Assignment) -> None:
        """Start an owned partition anew where it stands now: a fenced writer, or a log that was replaced."""
        self._let_go([assignment])
        if self.assignments.get(assignment.place) is not assignment:
            return  # it is being revoked: the next owner starts it
        fresh = self._resolve([assignment.place])[assignment.place]
        self.assignments[assignment.place] = fresh
        if fresh.stopped is None:
            self._move_to(fresh)
        self.set_pauses()

    def _move_to(self, fresh: Assignment) -> None:
        """Fetch from where the assignment starts. Not by `seek`, which refuses a partition that had no fetch position."""
        consumer, _ = self._parts()
        if self._protocol == "classic":
            consumer.assign([TopicPartition(*a.place, a.watermark.highest) for a in self.assignments.values()])
        else:
            consumer.incremental_unassign([TopicPartition(*fresh.place)])
            consumer.incremental_assign([TopicPartition(*fresh.place, fresh.watermark.committable)])

    def set_pauses(self) -> None:
        """Set the pause state of every owned partition: librdkafka keeps it across assignments, even of partitions lost between."""
        consumer, _ = self._parts()
        quiet = [TopicPartition(*a.place) for a in self.assignments.values() if self.paused or a.stopped is not None]
        open_ = [TopicPartition(*a.place) for a in self.assignments.values() if not self.paused and a.stopped is None]
        if quiet:
            consumer.pause(quiet)
        if open_:
            consumer.resume(open_)

    def misfit(self, places: Places) -> None:
        """A commit that the broker says is out of range: start those partitions anew, by the agent's policy."""
        for place in places:
            if place in self.assignments and self.assignments[place].stopped is None:
                self.restart(self.assignments[place])

    def check_topic_ids(self) -> None:
        """A live consumer reads on in a recreated topic from its old position, without an error: so look."""
        _, view = self._parts()
        for topic in {topic for topic, _ in self.assignments}:
            try:
                topic_id, _ = view.topic_ids([topic])[topic]
            except (KafkaException, TimeoutError) as error:
                log.warning("topic_id_unknown", agent=self._agent.name, topic=topic, reason=reason_of(error))
                continue
            for assignment in [a for a in self.assignments.values() if a.topic == topic and a.stopped is None]:
                if assignment.topic_id != topic_id:
                    self.restart(assignment)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.joined = True
        places = [(partition.topic, partition.partition) for partition in partitions]
        fresh = self._resolve(places) if places else {}
        starts = [TopicPartition(*place, assignment.watermark.committable) for place, assignment in fresh.items()]
        if self._protocol == "classic":
            consumer.assign(starts)
        else:
            consumer.incremental_assign(starts)
        self.assignments |= fresh
        self.set_pauses()
        log.info("assigned", agent=self._agent.name, partitions=_told(places))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        leaving = self._taken_out(partitions)
        self._drain(leaving, self._agent.drain_s)
        for assignment in leaving:
            assignment.sent = -1  # a commit on its way may still fail: say it again
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

    def _of_another_log(self, place: tuple[str, int], log_now: Log) -> Committed | None:
        """How far this consumer was in the log that a new one of the same name has replaced; None where it is the same."""
        former = self._former.get(place)
        return former if former is not None and former.topic_id != log_now.topic_id else None

    def _commit_now(self, consumer: Consumer, offsets: list[TopicPartition]) -> None:
        """The last commit of a revoked partition; when it fails, the next owner repeats a little."""
        try:
            consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            log.warning("last_commit_failed", agent=self._agent.name, reason=error.args[0].str())

    def _resolve(self, places: Places) -> dict[tuple[str, int], Assignment]:
        """Where each partition starts: the stored offset, else the commit, else the catalogue's word."""
        _, view = self._parts()
        topics = {topic for topic, _ in places}
        logs = patiently(lambda: view.logs(places))
        commits = patiently(lambda: view.commits(self._group))
        new = {topic: all(other != topic for other, _ in commits) for topic in topics}
        return {
            place: self._fresh(place, logs[place], commits.get(place), group_is_new=new[place[0]]) for place in places
        }

    def _fresh(
        self, place: tuple[str, int], log_now: Log, commit: Committed | None, *, group_is_new: bool
    ) -> Assignment:
        committed, stored = commit.offset if commit else -1, None
        if self._state is not None:
            state, position = self._state, _position(place, log_now)
            stored = patiently(lambda: state.start(position))
            commit = None if stored is None else Committed(stored, log_now.topic_id)
        commit = commit or self._of_another_log(place, log_now)
        start = start_of(commit, log_now, start=self._agent.start, reset=self._agent.reset, group_is_new=group_is_new)
        if start.misfit:
            self._tell_misfit(place, start)
        if self._state is not None and not start.stopped:
            replacing = stored if start.misfit else None
            patiently(lambda: state.begin(position, start.offset, replacing=replacing))
        return Assignment.of(self._agent, *place, log_now, start, committed=committed)

    def _tell_misfit(self, place: tuple[str, int], start: Start) -> None:
        remedy = (
            "set the agent's reset policy to earliest or latest, or move the group's offset" if start.stopped else None
        )
        log.error(
            "offset_out_of_log",
            agent=self._agent.name,
            topic=place[0],
            partition=place[1],
            reason=start.misfit,
            policy="stop" if start.stopped else f"goes on at {start.offset}",
            remedy=remedy,
        )

    def _parts(self) -> tuple[Consumer, BrokerView]:
        if self._consumer is None or self._view is None:
            raise RuntimeError("the consumer is not subscribed yet")
        return self._consumer, self._view


def _position(place: tuple[str, int], log_now: Log) -> "Position":
    from consumers.runtime.state import Position

    return Position(log_now.topic_id, *place)


def _told(places: Places) -> Any:
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


def until(limit_s: float) -> float:
    """The moment so many seconds from now, on the monotonic clock."""
    return time.monotonic() + limit_s
