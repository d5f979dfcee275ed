"""A stock Faust agent: `faust -A faust_app worker`."""

import os

import faust
from shared import handle

app = faust.App(
    "bench",
    broker=f"kafka://{os.environ['BENCH_BROKER']}",
    web_port=int(os.environ["BENCH_PORT"]),
    web_bind="127.0.0.1",
    datadir=os.environ["BENCH_FOLDER"],
)


class Item(faust.Record, serializer="json"):
    """One id of the list."""

    item_id: str
    kind: str


topic = app.topic("items", value_type=Item)


@app.agent(topic)
async def work(items: faust.Stream[Item]) -> None:
    """Handle one id after another, as in Faust's own quick start."""
    async for item in items:
        handle(item.item_id, item.kind)
