"""The compacted topic headrace.control: an agent's consumers closed for a while, on every worker, and opened again."""

import threading
import time
from collections.abc import Callable
from typing import Literal

import msgspec
import structlog
from confluent_kafka import KafkaException

from producers.errors import UnknownTopicError
from producers.sender import Sender
from schemas.errors import ConfigurationError, HeadraceError, TimedOutError
from schemas.names import CONTROL_TOPIC
from schemas.settings import Settings
from streams.positions import START
from streams.topic_reader import TopicReader

log = structlog.get_logger("headrace.control")

_ACKNOWLEDGED_S = 30.0
_AGAIN_S = 2.0

Wanted = Literal["closed", "running"]


class Order(msgspec.Struct, frozen=True):
    """The latest word on an agent.

    Attributes:
        state: "closed" for no consumers, "running" for as ever.
        by: the job that says so.
        at_ms: when, in milliseconds since the epoch.
    """

    state: Wanted
    by: str
    at_ms: int


def say(settings: Settings, agent: str, state: Wanted, *, by: str) -> None:
    """Write down what an agent's workers are to do, acknowledged by the broker.

    Raises:
        ConfigurationError: when the topic is missing.
        TimedOutError: when the broker does not acknowledge it.
    """
    topic, refused = settings.names.topic(CONTROL_TOPIC), list[object]()
    sender = Sender(settings, client_id="headrace-control")
    try:
        if topic not in sender.topics(10.0):
            raise ConfigurationError([f"the topic {topic} is missing; create it with: headrace init"])
        order = Order(state, by, time.time_ns() // 1_000_000)
        sender.send(
            topic,
            msgspec.json.encode(order),
            key=agent.encode(),
            on_delivery=lambda error, _: refused.append(error) if error is not None else None,
        )
        waiting = sender.flush(_ACKNOWLEDGED_S)
    finally:
        sender.close(1.0)
    if waiting or refused:
        raise TimedOutError(
            f"{topic} did not take the word on {agent}: {refused[0] if refused else 'no answer in time'}"
        )


class Watch:
    """A thread that reads the topic, from its beginning on, and tells of each order.

    Args:
        settings: where the broker is.
        obey: called, from that thread, with an agent's name and the order; what it raises is its own fault.
    """

    def __init__(self, settings: Settings, obey: Callable[[str, Order], None]) -> None:
        self._settings = settings
        self._obey = obey
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, without waiting for an order that it is obeying."""
        self._stopping.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._read()
            except UnknownTopicError:
                return  # it was there when the worker started: whoever deleted it has taken the orders back
            except (HeadraceError, KafkaException) as error:
                log.warning("control_unreadable", reason=str(error), again_in_s=_AGAIN_S)
                self._stopping.wait(_AGAIN_S)

    def _read(self) -> None:
        """Orders from the beginning, for ever: they are few, and the latest of each agent stands."""
        reader = TopicReader(self._settings, self._settings.names.topic(CONTROL_TOPIC))
        try:
            for message in reader.read(reader.offsets(START), None, until=self._stopping.is_set):
                self._hear(message.key() or b"", message.value())
        finally:
            reader.close()

    def _hear(self, key: bytes, value: bytes | None) -> None:
        try:
            order = Order("running", "", 0) if value is None else msgspec.json.decode(value, type=Order)
        except msgspec.DecodeError as error:
            log.warning("control_undecodable", key=str(key), reason=str(error))
            return
        self._obey(key.decode(errors="replace"), order)
