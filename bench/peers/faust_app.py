"""Stock Faust agents, one event at a time or a thousand: `faust -A faust_app worker`."""

import os

import faust
from activity import decoded
from tally import mine

AT_ONCE = 1000

app = faust.App(
    os.environ["BENCH_GROUP"],
    broker=f"kafka://{os.environ['BENCH_BROKER']}",
    value_serializer="raw",
    web_enabled=False,
    topic_allow_declare=False,
    datadir=os.environ["BENCH_FOLDER"],
)
topic = app.topic("activity.recorded", value_type=bytes, value_serializer="raw")


async def one_by_one(stream: faust.Stream[bytes]) -> None:
    """Count one event after another."""
    async for value in stream:
        mine.counts[decoded(value)["kind"]] += 1


async def many(stream: faust.Stream[bytes]) -> None:
    """Count a thousand events after another."""
    async for values in stream.take(AT_ONCE, within=0.1):
        for value in values:
            mine.counts[decoded(value)["kind"]] += 1


app.agent(topic)({"one": one_by_one, "take": many}[os.environ["BENCH_VARIANT"]])
