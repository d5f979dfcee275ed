"""Commits: what is due is sent now and then, and counts when the broker has answered."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, TopicPartition

from consumers.runtime.agent import Agent
from consumers.runtime.assignment import Assignment
from consumers.runtime.membership import Membership

log = structlog.get_logger("headrace.agent")

_INTERVAL_S = 0.05
"""Half of what a kill may repeat (0.1 s): the other half is a commit's way to a busy broker. At 0.1 s, 87 of 1,725 repeated records
had been finished for longer than that, at 0.05 s 13 of 1,600 (seed 26); no rate changed by more than its noise, in turns of one run."""
_UNANSWERED_S = 5.0
"""Seen after a broker's kill -9: librdkafka never answers for a commit that was on its way, and nothing said it again."""
_UNNOTICED_S = 10.0
"""A client learns within a heartbeat or two that its group has given it up. Seen after a broker's kill -9 and a cut network:
its heartbeats had ended for good, it learned nothing, and worked on what had long been another's."""
_EXPELLED = frozenset({KafkaError.UNKNOWN_MEMBER_ID, KafkaError.FENCED_MEMBER_EPOCH})


class Commits:
    """Sends the watermarks of all assignments together; the runner's thread alone calls it.

    Args:
        agent: from the catalogue.
        membership: what is owned.
        in_flight: how many records the agent may have in flight now: the owners' marks say so.
    """

    def __init__(self, agent: Agent, membership: Membership, *, in_flight: Callable[[], int]) -> None:
        self._agent = agent
        self._membership = membership
        self._in_flight = in_flight
        self._next_s = 0.0

    def send(self, consumer: Consumer, now_s: float, leaving: Iterable[Assignment] = ()) -> None:
        """Send what is due, twenty times a second at most; an assignment's first one with its owner's mark at once.

        Args:
            consumer: that owns the partitions.
            now_s: on the clock of `time.monotonic()`.
            leaving: assignments that are drained before they are given up, and not among the owned any more.
        """
        if now_s < self._next_s and not self._unsaid():
            return
        self._next_s = now_s + _INTERVAL_S
        in_flight = self._in_flight()
        due: list[TopicPartition] = []
        crowded_before = self._crowded()
        for assignment in dict.fromkeys((*self._membership.assignments.values(), *leaving)):
            if assignment.sent >= 0 and now_s - assignment.sent_s > _UNANSWERED_S:
                assignment.say_again()
            assignment.note_in_flight(in_flight)
            offset = assignment.due_commit()
            if offset is not None:
                assignment.sent, assignment.sent_s = offset.offset, now_s
                due.append(offset)
        if due:
            consumer.commit(offsets=due, asynchronous=True)
        if self._crowded() != crowded_before:
            self._membership.set_pauses()

    def is_expelled(self, now_s: float) -> bool:
        """Whether the group has given this member up, and its client does not notice."""
        since_s = [each.expelled_s for each in self._membership.assignments.values() if each.expelled_s is not None]
        return bool(since_s) and now_s - min(since_s) > _UNNOTICED_S

    def _unsaid(self) -> bool:
        """Whether an assignment that has begun has not sent its owner's mark yet; one that was refused waits for its turn."""
        owned = self._membership.assignments.values()
        return any(a.unsaid and a.begun_s is not None and a.note.hold is None and a.stopped is None for a in owned)

    def _crowded(self) -> list[bool]:
        return [assignment.crowded for assignment in self._membership.assignments.values()]

    def answered(self, error: KafkaError | None, partitions: list[Any]) -> None:
        """A commit that was sent is not a commit that was done: only the broker's answer counts."""
        for partition in partitions or []:
            assignment = self._membership.assignments.get((partition.topic, partition.partition))
            if assignment is None or partition.offset > max(assignment.sent, assignment.committed):
                continue  # the answer to an earlier assignment's commit, perhaps of a log that is gone
            refused = error or partition.error
            if refused is None:
                assignment.confirm(partition.offset)
            else:
                assignment.say_again()
                if refused.code() in _EXPELLED and assignment.expelled_s is None:
                    assignment.expelled_s = time.monotonic()
                assignment.tells = refused.code() != KafkaError.OFFSET_METADATA_TOO_LARGE and assignment.tells
                log.info("commit_refused", agent=self._agent.name, topic=partition.topic, reason=refused.str())
