"""A republish: the range is copied into another topic, each record once, however often the copying is interrupted."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition

from consumers.runtime.intake import record_of
from consumers.runtime.kit import open_kit
from producers.client_log import ClientLog
from producers.kafka import open_client
from producers.sender import SendError
from producers.transactional import SupersededError, TransactionalSender, TransactionFailedError
from schemas.names import REPLAY
from schemas.settings import Settings
from streams.replay.chosen import Chosen
from streams.replay.finished import Finished
from streams.replay.groups import Groups
from streams.replay.job import Job, ReplayError
from streams.topic_reader import TopicReader

_AT_ONCE = 1_000
_TURNS_PER_S = 4
_ANSWERED_S = 30.0
"""Transactions a second where a rate is given: none waits long, and a slow one does not stand still for seconds."""


def run(job: Job, settings: Settings, told: Callable[[int], None]) -> Finished:
    """Copy what is left of the range.

    Copies and progress stand in one Kafka transaction, so that no interruption doubles a copy; a second process with the
    same job fences the first. It is a copy, not an agent's result: the rule that results need no transactions stays.

    Args:
        job: with its target.
        settings: where the broker is.
        told: called now and then with the offsets covered so far.

    Raises:
        ReplayError: when the broker refuses a copy.
        TimedOutError: when it sends nothing of the range.
    """
    topic, target = settings.names.topic(job.topic), settings.names.topic(str(job.to_topic))
    chosen = Chosen(open_kit(settings).codec, key=job.key, expression=job.where)
    copied, due_s = 0, time.monotonic()
    with _copier(
        job, settings, topic, target
    ) as copier:  # first: what an earlier process commits is final from here on
        with closing(Groups(settings)) as groups:
            reached = groups.reached(job.group(settings.names), topic)
        starts = {part.partition: max(part.start, reached.get(part.partition, 0)) for part in job.slices}
        ends = {part.partition: part.end for part in job.slices}
        reader = TopicReader(settings, topic)
        try:
            for messages in _pieces(reader.read(starts, ends), job.rate):
                wanted = [message for message in messages if chosen.wants(record_of(message))]
                due_s = _await(due_s, len(wanted), job.rate)
                copied += copier.copy(wanted, messages)
                told(job.covered(copier.reached(starts)))
        finally:
            reader.close()
        copier.finish(ends)
    told(job.records)
    said = f"{copied:,} copied to {job.to_topic}"
    if chosen.undecodable:
        said += f"; {chosen.undecodable:,} could not be decoded for --where, and were left out"
    return Finished(said)


def _pieces(messages: Iterator[Message], rate: float | None) -> Iterator[list[Message]]:
    """Messages in pieces; none larger than a fourth of a second may copy, where a rate is given."""
    size = _AT_ONCE if rate is None else max(1, min(_AT_ONCE, int(rate / _TURNS_PER_S)))
    while piece := list(islice(messages, size)):
        yield piece


def _await(due_s: float, records: int, rate: float | None) -> float:
    """Wait until a piece is due; the moment at which the next one is. What is late does not make the next ones hurry."""
    if rate is None:
        return due_s
    if (early_s := due_s - time.monotonic()) > 0:
        time.sleep(early_s)
    return max(due_s, time.monotonic()) + records / rate


class _Copier:
    """Copies in transactions; the group's commits go with them."""

    def __init__(self, job: Job, sender: TransactionalSender, group: Any, topic: str, target: str) -> None:
        self._mark = (REPLAY, job.id.encode())
        self._sender = sender
        self._group = group
        self._topic = topic
        self._target = target
        self._next: dict[int, int] = {}

    def copy(self, wanted: list[Message], seen: list[Message]) -> int:
        """Copy the wanted ones of those that were seen, in one transaction; how many that was."""
        following = {_partition(message): _offset(message) + 1 for message in seen}
        self._in_transaction(wanted, following)
        self._next |= following
        return len(wanted)

    def finish(self, ends: dict[int, int]) -> None:
        """Behind the last record that can be read may lie markers: the range is covered to its end all the same."""
        self._in_transaction([], ends)

    def reached(self, starts: dict[int, int]) -> dict[int, int]:
        """The next offset to copy, by partition."""
        return starts | self._next

    def _in_transaction(self, messages: list[Message], following: dict[int, int]) -> None:
        refused: list[str] = []
        places = [TopicPartition(self._topic, partition, offset) for partition, offset in following.items()]
        try:
            with self._sender.transaction():
                for message in messages:
                    self._send(message, refused)
                self._sender.commit_with_it(places, self._group)
                self._sender.flush(_ANSWERED_S)
                if refused:  # an answer without an offset is none for librdkafka to abort at
                    raise TransactionFailedError(refused[0])
        except (SendError, TransactionFailedError) as error:
            raise ReplayError(
                f"the copies to {self._target} are refused: {refused[0] if refused else error}"
            ) from error

    def _send(self, message: Message, refused: list[str]) -> None:
        found: Any = message.headers()
        self._sender.send(
            self._target,
            message.value(),
            key=message.key(),
            headers=[*(found or ()), self._mark],
            on_delivery=lambda error, _: refused.append(error.str()) if error is not None else None,
        )


@contextmanager
def _copier(job: Job, settings: Settings, topic: str, target: str) -> Iterator[_Copier]:
    """A sender in the job's name: an earlier process of the same job can commit nothing from now on."""
    group = job.group(settings.names)
    try:
        sender = TransactionalSender(settings, client_id="headrace-republish", transactional_id=group)
    except TransactionFailedError as error:
        raise ReplayError(f"the broker refuses a transaction of {group}: {error}") from error
    log = ClientLog("headrace-republish")
    own: dict[str, str | float | bool] = {"group.id": group, "enable.auto.commit": False}
    consumer = open_client(Consumer, {**settings.outsider(**own), "error_cb": log.error, "logger": log})
    try:
        yield _Copier(job, sender, consumer.consumer_group_metadata(), topic, target)
    except SupersededError as error:
        raise ReplayError(f"another process goes on with job {job.id}; this one has ended") from error
    finally:
        consumer.close()
        sender.close()


def _partition(message: Message) -> int:
    return int(message.partition() or 0)


def _offset(message: Message) -> int:
    return int(message.offset() or 0)
