"""FastStream on confluent-kafka, one event at a time or a thousand: `faststream run faststream_app:app`."""

import os

from activity import FETCHING, decoded
from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker
from tally import mine

AT_ONCE = 1000

broker = KafkaBroker(os.environ["BENCH_BROKER"], config=FETCHING, apply_types=False, logger=None)
app = FastStream(broker)
where = {
    "group_id": os.environ["BENCH_GROUP"],
    "auto_offset_reset": "earliest",
    "ack_policy": AckPolicy.NACK_ON_ERROR,  # its default acknowledges first, which loses
}


async def raw(message):
    """The bytes as they are: otherwise it tries whether they are JSON."""
    return message.body


async def one(value: bytes) -> None:
    """Count one event."""
    mine.counts[decoded(value)["kind"]] += 1


async def many(values: list[bytes]) -> None:
    """Count up to a thousand events."""
    for value in values:
        mine.counts[decoded(value)["kind"]] += 1


if os.environ["BENCH_VARIANT"] == "batch":
    broker.subscriber("activity.recorded", batch=True, max_records=AT_ONCE, decoder=raw, **where)(many)
else:
    broker.subscriber("activity.recorded", decoder=raw, **where)(one)
