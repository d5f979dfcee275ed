"""What the broker says of partitions: topic ids, log ends, commits. All of the runtime's look-ups."""

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its __init__ re-exports it

from consumers.runtime.offsets import Committed, Log
from producers.client_log import ClientLog
from producers.kafka import open_client
from schemas.settings import Settings

_TIMEOUT_S = 10.0
_RESULT_S = _TIMEOUT_S + 5.0  # the request's own time-out is to come first: it has a reason
_RENEWED_EVERY_S = 10.0
_TIMED_OUT = frozenset({KafkaError._TIMED_OUT, KafkaError.REQUEST_TIMED_OUT})
_FORBIDDEN = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
"""What no patience heals. Everything else may be a broker, a leader or a coordinator on its way; `retriable()` does not
tell: a consumer's NOT_COORDINATOR says False."""


class BrokerView:
    """Look-ups; safe to share between threads, and to be closed.

    Args:
        settings: where the broker is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._admin = open_admin(settings)
        self._renewed_s = time.monotonic()
        self._readers: dict[str, Consumer] = {}
        self._opening = threading.Lock()

    def logs(self, places: list[tuple[str, int]]) -> dict[tuple[str, int], Log]:
        """Topic id, first and next offset of each partition."""
        ids = self.topic_ids({topic for topic, _ in places})
        lows = self._offsets(places, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        highs = self._offsets(places, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return {place: Log(ids[place[0]][0], lows[place], highs[place], ids[place[0]][1]) for place in places}

    def topic_ids(self, topics: Iterable[str]) -> dict[str, tuple[str, int]]:
        """Id and number of partitions of each topic (KIP-516)."""
        futures = self._admin.describe_topics(TopicCollection(sorted(topics)), request_timeout=_TIMEOUT_S)
        found = {topic: future.result(_RESULT_S) for topic, future in futures.items()}
        return {topic: (str(description.topic_id), len(description.partitions)) for topic, description in found.items()}

    def ask_topic_id(self, topic: str) -> "Future[Any]":
        """The topic's description, later: `str(future.result().topic_id)`."""
        future: Future[Any] = self._admin.describe_topics(TopicCollection([topic]), request_timeout=_TIMEOUT_S)[topic]
        return future

    def offset_at(self, place: tuple[str, int], at_ms: int) -> int:
        """The offset of the first record that is not older than a time in ms since the epoch; the end where none is."""
        found = self._offsets([place], OffsetSpec.for_timestamp(at_ms))[place]
        return found if found >= 0 else self._offsets([place], OffsetSpec.latest())[place]  # type: ignore[no-untyped-call]

    def commits(self, group: str, topics: Iterable[str]) -> dict[tuple[str, int], Committed]:
        """A group's commits in those of the topics that exist, with what their metadata say.

        By a consumer of that group which never joins it. Not by the member's own: its requests carry its epoch (KIP-848),
        which the broker refuses as stale when the group changes meanwhile, so that they time out again and again. And not
        by the admin client: where the answer is that the coordinator has moved, librdkafka 2.16.0 ends the process
        (`rd_kafka_handle_OffsetFetch` asks the consumer group that an admin client doesn't have).

        A commit within a transaction that is still open does not count, and is not waited for: its process may be dead.
        """
        known = self._admin.list_topics(timeout=_TIMEOUT_S).topics
        wanted = [
            TopicPartition(topic, number)
            for topic in set(topics)
            if topic in known
            for number in known[topic].partitions
        ]
        found = self._reader_of(group).committed(wanted, timeout=_TIMEOUT_S) if wanted else []
        for place in found:
            if place.error is not None:
                raise KafkaException(place.error)
        commits = {(place.topic, place.partition): Committed.of(place.offset, place.metadata) for place in found}
        return {place: commit for place, commit in commits.items() if commit is not None}

    def renew_after(self, error: BaseException) -> None:
        """Go on with a fresh admin client if a look-up has timed out.

        Seen after brokers had left and come back: in each of its look-ups, for two minutes, an admin client waited in vain for
        a controller, while the consumers of the same process worked. What was on its way then fails, and is asked again.
        """
        passing = isinstance(error, KafkaException) and error.args[0].code() not in _TIMED_OUT
        with self._opening:
            now_s = time.monotonic()
            if not passing and now_s - self._renewed_s > _RENEWED_EVERY_S:
                self._admin, self._renewed_s = open_admin(self._settings), now_s

    def _reader_of(self, group: str) -> Consumer:
        with self._opening:
            if group not in self._readers:
                self._readers[group] = _open_reader(self._settings, group)
            return self._readers[group]

    def close(self) -> None:
        """Close every client."""
        with self._opening:
            for reader in self._readers.values():
                reader.close()
            self._readers.clear()

    def topics(self) -> set[str]:
        """The names of all topics."""
        return set(self._admin.list_topics(timeout=_TIMEOUT_S).topics)

    def ends(self, topics: Iterable[str]) -> dict[tuple[str, int], tuple[int, int]]:
        """First and next offset of every partition of those of the topics that exist."""
        known = self._admin.list_topics(timeout=_TIMEOUT_S).topics
        places = [(topic, number) for topic in topics if topic in known for number in known[topic].partitions]
        lows = self._offsets(places, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
        highs = self._offsets(places, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return {place: (lows[place], highs[place]) for place in places}

    def records_in(self, topic: str) -> int:
        """How many offsets a topic holds; 0 where there is no such topic."""
        return sum(high - low for low, high in self.ends([topic]).values())

    def _offsets(self, places: list[tuple[str, int]], spec: Any) -> dict[tuple[str, int], int]:
        if not places:
            return {}
        wanted = {TopicPartition(topic, partition): spec for topic, partition in places}
        futures = self._admin.list_offsets(wanted, request_timeout=_TIMEOUT_S)
        found = {place: future.result(_RESULT_S).offset for place, future in futures.items()}
        return {(place.topic, place.partition): _known(place, offset) for place, offset in found.items()}


def _known(place: TopicPartition, offset: int) -> int:
    """The offset; -1 says that there is no record of a time.

    Raises:
        KafkaException: for a partition without a leader, of which librdkafka says OFFSET_INVALID (-1001) and no error. Seen
            after a broker's kill -9; taken for the log's end it made every commit lie past it.
    """
    if offset < -1:
        raise KafkaException(
            KafkaError(KafkaError.LEADER_NOT_AVAILABLE, f"nobody says where {place.topic} begins or ends")
        )
    return offset


def _open_reader(settings: Settings, group: str) -> Consumer:
    own: dict[str, str | float | bool] = {
        "group.id": group,
        "client.id": "headrace-commits",
        "enable.auto.commit": False,
        "isolation.level": "read_uncommitted",  # else librdkafka asks for stable offsets (KIP-447): none in a transaction
    }
    log = ClientLog("headrace-commits")
    reader: Consumer = open_client(Consumer, {**settings.outsider(**own), "error_cb": log.error, "logger": log})
    return reader


def open_admin(settings: Settings) -> AdminClient:
    """An admin client, as quiet as the consumers."""
    log = ClientLog("headrace-admin")
    client: AdminClient = open_client(AdminClient, {**settings.client(), "logger": log, "error_cb": log.error})
    return client


def reason_of(error: BaseException) -> str:
    """What a failed look-up says of itself; a future's own time-out says nothing."""
    if isinstance(error, KafkaException):
        return str(error.args[0].str())
    return str(error) or "no answer in time"


def is_final(error: BaseException) -> bool:
    """Whether no patience heals it."""
    return isinstance(error, KafkaException) and (error.args[0].fatal() or error.args[0].code() in _FORBIDDEN)
