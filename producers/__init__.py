"""How events enter: `with Publisher(from_environment()) as publisher: publisher.publish(TextPosted(text_id="a", text="hi"))`."""

from producers.async_publisher import AsyncPublisher
from producers.bulk import BulkReceipt
from producers.errors import (
    DeliveryError,
    FlushTimeoutError,
    PublishError,
    RecordTooLargeError,
    UndeliveredError,
    UnknownTopicError,
)
from producers.kafka import BrokerUnreachableError
from producers.memory import MemoryPublisher
from producers.publisher import Publisher
from producers.receipt import Delivered, Receipt
from schemas.errors import InvalidEventError

__all__ = [
    "AsyncPublisher",
    "BrokerUnreachableError",
    "BulkReceipt",
    "Delivered",
    "DeliveryError",
    "FlushTimeoutError",
    "InvalidEventError",
    "MemoryPublisher",
    "PublishError",
    "Publisher",
    "Receipt",
    "RecordTooLargeError",
    "UndeliveredError",
    "UnknownTopicError",
]
