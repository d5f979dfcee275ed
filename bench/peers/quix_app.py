"""Quix Streams: `python quix_app.py`."""

import os

from activity import FETCHING, decoded
from quixstreams import Application
from tally import mine

app = Application(
    broker_address=os.environ["BENCH_BROKER"],
    consumer_group=os.environ["BENCH_GROUP"],
    auto_offset_reset="earliest",
    auto_create_topics=False,
    consumer_extra_config=FETCHING,
    processing_guarantee="at-least-once",
    state_dir=os.environ["BENCH_FOLDER"],
    loglevel="WARNING",
)


def count(value: bytes) -> None:
    """Count one event."""
    mine.counts[decoded(value)["kind"]] += 1


if __name__ == "__main__":
    app.dataframe(app.topic("activity.recorded", value_deserializer="bytes", key_deserializer="bytes")).update(count)
    app.run()
