"""A FastStream subscriber: `faststream run faststream_app:app`."""

import os

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from pydantic import BaseModel
from shared import handle

broker = KafkaBroker(os.environ["BENCH_BROKER"])
app = FastStream(broker)
# Without a policy FastStream's default (ACK_FIRST) holds.
policy = {"ack_policy": AckPolicy[os.environ["BENCH_VARIANT"]]} if os.environ["BENCH_VARIANT"] else {}


class Item(BaseModel):
    """One id of the list."""

    item_id: str
    kind: str


@broker.subscriber("items", group_id="bench", auto_offset_reset="earliest", **policy)
def work(item: Item) -> None:
    """Handle one id; FastStream runs a plain function in a thread."""
    handle(item.item_id, item.kind)
