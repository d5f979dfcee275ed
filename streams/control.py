"""The compacted topic headrace.control: an agent's consumers closed for a while, on every worker, and opened again."""

import threading
import time
from collections.abc import Callable
from typing import Literal

import msgspec
import structlog
from confluent_kafka import KafkaException

from producers.errors import UnknownTopicError
from schemas.errors import HeadraceError
from schemas.names import CONTROL_TOPIC
from schemas.settings import Settings
from streams import one_record
from streams.positions import START
from streams.topic_reader import TopicReader

log = structlog.get_logger("headrace.control")

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
    order = Order(state, by, time.time_ns() // 1_000_000)
    value = msgspec.json.encode(order)
    one_record.write(settings, CONTROL_TOPIC, agent.encode(), value, what=f"the word on {agent}")


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
