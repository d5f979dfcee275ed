"""A sender of transactions (KIP-98): all of their records are in the log, or none; and of several processes one alone sends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from producers.answers import Headers, OnDelivery, unplaced
from producers.sender import Sender
from schemas.errors import HeadraceError
from schemas.settings import Settings

_TIMEOUT_MS = 10_000
"""An open transaction holds back every reader of its topics: one whose process was killed, no longer than this and the
broker's own interval (10 s by default)."""
_ANSWER_S = 30.0
_PATIENCE_S = 90.0
_FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})


class TransactionFailedError(HeadraceError):
    """Raised when a transaction was aborted: nothing of it is in the log for a reader of committed records."""


class SupersededError(HeadraceError):
    """Raised when another sender of the same transactional id has begun since: this one can send nothing any more."""


class TransactionalSender(Sender):
    """A sender whose records travel in transactions.

    Opening it ends every older one of the same id, and aborts what that had under way: what is read afterwards is final.

    Args:
        settings: where the broker is.
        client_id: the client's name on the broker and in the log.
        transactional_id: what only one process may use at a time; it needs the right to write to that id.

    Raises:
        TransactionFailedError: if the broker gives no transactions: none is there, or the id is forbidden.
    """

    def __init__(self, settings: Settings, *, client_id: str, transactional_id: str) -> None:
        own = {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": str(_TIMEOUT_MS),
            "delivery.timeout.ms": str(_TIMEOUT_MS),  # librdkafka wants no more than the transaction's
        }
        super().__init__(msgspec.structs.replace(settings, kafka={**settings.kafka, **own}), client_id=client_id)
        try:
            self._producer.init_transactions(_ANSWER_S)
        except KafkaException as error:
            self.close(0.0)
            raise self._told(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction: committed on a clean exit, aborted by an exception.

        Raises:
            TransactionFailedError: if it cannot be committed; whether each record failed by itself, its `on_delivery` was told.
            SupersededError: if another sender of the id has begun since.
        """
        self._call(self._producer.begin_transaction)
        try:
            yield
        except BaseException:
            self._call(self._producer.abort_transaction, _ANSWER_S)
            raise
        try:
            self._call(self._producer.commit_transaction, _ANSWER_S)
        except TransactionFailedError:
            self._call(self._producer.abort_transaction, _ANSWER_S)
            raise

    def send_again(self, _message: Any, _headers: Headers, _then: OnDelivery) -> KafkaError | None:
        """Never: it might stand in the transaction twice. Whoever hears of the error aborts it, and begins anew."""
        return unplaced()

    def commit_with_it(self, places: list[TopicPartition], group: Any) -> None:
        """Make a consumer group's commits part of the open transaction.

        Args:
            places: topic, partition and the offset of the next record to read.
            group: a consumer's `consumer_group_metadata()`.

        Raises:
            TransactionFailedError: if the broker refuses them.
            SupersededError: if another sender of the id has begun since.
        """
        self._call(self._producer.send_offsets_to_transaction, places, group, _ANSWER_S)

    def _call(self, step: Any, *arguments: Any) -> None:
        """One step; again, for a while, where librdkafka says that it may be."""
        until_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                step(*arguments)
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > until_s:
                    raise self._told(error) from error
            else:
                return

    def _told(self, error: KafkaException) -> HeadraceError:
        cause: KafkaError = error.args[0]
        if cause.code() in _FENCED or (self.fatal is not None and self.fatal.code() in _FENCED):
            return SupersededError("another sender of the same transactional id has begun since")
        return TransactionFailedError(f"{cause.str()} ({cause.name()})")
