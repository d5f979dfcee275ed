"""An agent's client in its group: opened, opened anew where that helps, and closed."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from confluent_kafka import Consumer, KafkaException

from consumers.runtime.agent import Agent, Executor
from consumers.runtime.bounded_starts import BoundedStarts
from consumers.runtime.bounds import Bounds
from consumers.runtime.broker_view import BrokerView
from consumers.runtime.group import check_promises, open_consumer, refuses_protocol, say_classic, set_timing
from consumers.runtime.membership import Membership
from consumers.runtime.starts import Place, Starts
from consumers.runtime.topic_ids import TopicIds
from schemas.settings import GroupProtocol, Settings

if TYPE_CHECKING:
    from consumers.runtime.state import State

log = structlog.get_logger("headrace.agent")


class Subscription:
    """The consumer of an agent, subscribed to its topics; the agent's thread alone calls it.

    Args:
        agent: from the catalogue.
        settings: where the broker is.
        topics: to read, by their names on the broker.
        memory: the partition whose commit remembers which logs the group has read.
        membership: what is owned.
        state: the exact state, for an agent that has one.
        bounds: of a replay; None for the live agent.
        on_commit: hears what became of each commit.
        on_error: hears what librdkafka complains of.

    Attributes:
        protocol: the group's, as it came to be.

    Raises:
        ConfigurationError: where KAFKA_* would give up a promise.
    """

    def __init__(
        self,
        agent: Agent,
        settings: Settings,
        topics: list[str],
        *,
        memory: Place,
        membership: Membership,
        state: "State | None",
        bounds: Bounds | None,
        on_commit: Callable[[Any, Any], None],
        on_error: Callable[[Any], None],
    ) -> None:
        check_promises(settings)
        self.protocol: GroupProtocol = settings.group_protocol
        self._agent = agent
        self._settings = settings
        self._topics = topics
        self._memory = memory
        self._membership = membership
        self._state = state
        self._bounds = bounds
        self._on_commit = on_commit
        self._on_error = on_error
        self._group = settings.names.group(agent.name) if bounds is None else bounds.group
        self._owner = secrets.token_hex(4)
        self._consumer: Consumer | None = None
        self._view: BrokerView | None = None

    @property
    def consumer(self) -> Any:
        """The client, once it is open."""
        return self._consumer

    def open(self) -> None:
        """Open the client and join the group."""
        if self.protocol == "consumer":
            set_timing(self._settings, self._group)
        self._consumer = open_consumer(
            self._settings,
            self._group,
            protocol=self.protocol,
            polls_always=self._agent.executor is not Executor.INLINE,
            on_commit=self._on_commit,
            on_error=self._on_error,
        )
        view = self._view = self._view or BrokerView(self._settings)
        self._topic_ids = TopicIds(self._agent.name, view)
        self._membership.subscribe(self._consumer, self._starts(view), self._topics, protocol=self.protocol)

    def _starts(self, view: BrokerView) -> Starts:
        if self._bounds is not None:
            return BoundedStarts(self._agent, view, self._bounds, owner=self._owner)
        return Starts(self._agent, self._group, view, memory=self._memory, state=self._state, owner=self._owner)

    def fall_back(self, error: KafkaException) -> None:
        """Where the broker refuses KIP-848, go on with a classic group.

        Raises:
            KafkaException: the error itself, every other one.
        """
        if self.protocol == "classic" or self._membership.joined or not refuses_protocol(error.args[0]):
            raise error
        say_classic(self._agent.name, error.args[0].str())
        self.consumer.close()
        self.protocol = "classic"
        self.open()

    def join_anew(self) -> None:
        """Leave the consumer that its group has given up, and join with a fresh one."""
        log.warning(
            "joins_anew", agent=self._agent.name, reason="its group has given it up, and its client does not notice"
        )
        self.consumer.close()
        self.open()

    def compare_ids(self, now_s: float) -> None:
        """Look now and then whether the topics are still the same ones.

        Args:
            now_s: on the clock of `time.monotonic()`.
        """
        owned = {topic for topic, _ in self._membership.assignments}
        for topic, topic_id in self._topic_ids.answers(owned, now_s):
            self._membership.compare_id(topic, topic_id)

    def close(self) -> None:
        """Leave the group."""
        if self._consumer is not None:
            self._consumer.close()
        if self._view is not None:
            self._view.close()
