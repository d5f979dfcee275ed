"""What the broker's answers are worth: a good one names an offset, and one that does not proves nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from confluent_kafka import KafkaError

from producers.client_log import logger

if TYPE_CHECKING:
    from producers.sender import Sender

OnDelivery = Callable[[KafkaError | None, Any], None]
"""Called with the error, or None, and the record, which says its topic(), partition() and offset(); without an error it has one."""

Headers = tuple[tuple[str, bytes | None], ...]
_UNPLACED = "acknowledged without an offset: it may stand in the log, or be lost"


def log_failure(error: KafkaError | None, message: Any) -> None:
    """What becomes of an answer that nobody waits for."""
    if error is not None:
        logger.error("a record for %s was not delivered: %s", message.topic(), error.str())


def unplaced() -> KafkaError:
    """What is told of a record whose acknowledgement proves nothing."""
    return KafkaError(KafkaError._INCONSISTENT, _UNPLACED)


class Heard(msgspec.Struct, gc=False, frozen=True):
    """Hands an answer on; after a good one that names no offset the record is sent once more, for it proves nothing.

    librdkafka takes an unanswered batch for stored once a later one of the partition is (`rd_kafka_dr_implicit_ack`). A log
    that knows nothing of the producer, such as that of a topic made just now, takes the later one all the same (KIP-360): the
    earlier one is then lost. docs/delivery.md has the run that found it.

    The headers are a tuple because it is kept until the answer: the collector stops looking at one of plain values, never at
    a list.
    """

    then: OnDelivery
    headers: Headers
    sender: "Sender"

    def __call__(self, error: KafkaError | None, message: Any) -> None:
        """Called by librdkafka, with the first answer."""
        if error is None and message.offset() is None:
            error = self.sender.send_again(message, self.headers, self.then)
            if error is None:
                return
        self.then(error, message)


class Twice(msgspec.Struct, gc=False, frozen=True):
    """Hands on the answer to a record that was sent once more; another that proves nothing is an error."""

    then: OnDelivery

    def __call__(self, error: KafkaError | None, message: Any) -> None:
        """Called by librdkafka, with the second answer."""
        if error is None and message.offset() is None:
            error = unplaced()
        self.then(error, message)
