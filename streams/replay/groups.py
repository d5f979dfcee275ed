"""Consumer groups as a replay has to know them: who is in one, moving its offsets, deleting it."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition

from consumers.runtime.broker_view import BrokerView, open_admin, reason_of
from schemas.settings import Settings
from streams.replay.job import ReplayError

_TIMEOUT_S = 10.0
_ANSWER_S = _TIMEOUT_S + 5.0
_ABSENT = frozenset({KafkaError.GROUP_ID_NOT_FOUND, KafkaError.COORDINATOR_NOT_AVAILABLE})


class Groups:
    """Questions about groups and their topics; the caller closes it.

    Args:
        settings: where the broker is.
    """

    def __init__(self, settings: Settings) -> None:
        self._admin: Any = open_admin(settings)
        self._view = BrokerView(settings)

    def members(self, group: str) -> list[str]:
        """The group's members, as their client id and host; empty for one that has none, or does not exist."""
        asked = self._admin.describe_consumer_groups([group], request_timeout=_TIMEOUT_S)
        try:
            found = asked[group].result(_ANSWER_S)
        except KafkaException as error:
            if error.args[0].code() in _ABSENT:
                return []
            raise ReplayError(f"the group {group} cannot be described: {reason_of(error)}") from error
        return sorted(f"{member.client_id} at {member.host.lstrip('/')}" for member in found.members)

    def topics(self) -> list[str]:
        """Every topic of the broker, by name."""
        return sorted(self._admin.list_topics(timeout=_TIMEOUT_S).topics)

    def topic_exists(self, topic: str) -> bool:
        """Whether the broker has a topic of this name."""
        return topic in self.topics()

    def reached(self, group: str, topic: str) -> dict[int, int]:
        """The group's commits in a topic of this name on the broker, by partition."""
        return {place[1]: commit.offset for place, commit in self._view.commits(group, [topic]).items()}

    def metadata(self, group: str, topic: str) -> dict[int, str | None]:
        """What the metadata of these commits say, by partition."""
        return {place[1]: commit.said for place, commit in self._view.commits(group, [topic]).items()}

    def topic_id(self, topic: str) -> str:
        """Kafka's id of a topic (KIP-516)."""
        return self._view.topic_ids([topic])[topic][0]

    def records_in(self, topic: str) -> int:
        """How many offsets a topic holds; 0 where there is no such topic."""
        return self._view.records_in(topic)

    def close(self) -> None:
        """Leave the broker."""
        self._view.close()

    def move(self, group: str, topic: str, offsets: Mapping[int, tuple[int, str]]) -> dict[int, str]:
        """Set a group's offsets; each with its metadata, by partition.

        Returns:
            Why a partition was not moved, by partition: the broker refuses those of a group that has members one by one,
            and says so nowhere else.
        """
        wanted = [
            TopicPartition(topic, number, offset, metadata=said) for number, (offset, said) in sorted(offsets.items())
        ]
        asked = self._admin.alter_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group, wanted)], request_timeout=_TIMEOUT_S
        )
        try:
            answered = asked[group].result(_ANSWER_S).topic_partitions
        except KafkaException as error:
            return dict.fromkeys(offsets, reason_of(error))
        return {place.partition: place.error.str() for place in answered if place.error is not None}

    def delete(self, group: str) -> None:
        """Delete a group; one that does not exist is as good.

        Raises:
            ReplayError: when it has members.
        """
        try:
            self._admin.delete_consumer_groups([group], request_timeout=_TIMEOUT_S)[group].result(_ANSWER_S)
        except KafkaException as error:
            if error.args[0].code() in _ABSENT:
                return
            who = ", ".join(self.members(group)) or "none now; try again"
            raise ReplayError(f"the group {group} cannot be deleted: {reason_of(error)}; its members: {who}") from error
