"""The ids of the topics that are read, asked for now and then: a recreated topic keeps its name, but not its id (KIP-516)."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import Any

import structlog
from confluent_kafka import KafkaException

from consumers.runtime.broker_view import BrokerView, reason_of

log = structlog.get_logger("headrace.agent")

_INTERVAL_S = 10.0


class TopicIds:
    """Asks, and hands out what has come in since; never waits, since a frozen broker answers late or not at all.

    Args:
        agent: the agent's name.
        view: of the broker.
    """

    def __init__(self, agent: str, view: BrokerView) -> None:
        self._agent = agent
        self._view = view
        self._asked: dict[str, Future[Any]] = {}
        self._next_s = 0.0

    def answers(self, topics: Iterable[str], now_s: float) -> Iterator[tuple[str, str]]:
        """Topics with their ids, as far as the broker has answered by now; asks again ten seconds after the last time."""
        if now_s >= self._next_s:
            self._next_s = now_s + _INTERVAL_S
            self._asked |= {topic: self._view.ask_topic_id(topic) for topic in topics if topic not in self._asked}
        for topic in [topic for topic, future in self._asked.items() if future.done()]:
            try:
                yield topic, str(self._asked.pop(topic).result().topic_id)
            except (KafkaException, TimeoutError) as error:
                self._view.renew_after(error)
                log.warning("topic_id_unknown", agent=self._agent, topic=topic, reason=reason_of(error))
