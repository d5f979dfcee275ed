"""Where a record stands in Kafka."""

import msgspec


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a record stands in Kafka.

    Attributes:
        topic: the topic's name in the catalogue, without the prefix.
        partition: from 0.
        offset: from 0.
        timestamp_ms: the record's own timestamp, in milliseconds since the epoch.
    """

    topic: str = "none"
    partition: int = 0
    offset: int = 0
    timestamp_ms: int = 0
