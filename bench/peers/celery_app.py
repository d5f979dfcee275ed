"""A Celery task: `celery -A celery_app worker`; `python celery_app.py publish|leftovers`.

The settings are those of Celery's guide on optimizing for short tasks that must not be lost.
"""

import json
import os
import sys

from celery import Celery
from queued import events
from tally import mine

QUEUE = "activity"

app = Celery("bench", broker=os.environ["BENCH_BROKER"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_default_queue=QUEUE,
    worker_prefetch_multiplier=128,
    worker_disable_rate_limits=True,
    broker_connection_retry_on_startup=True,
)


@app.task(name="count")
def count(event: dict) -> None:
    """Count one event."""
    mine.counts[event["kind"]] += 1


def publish() -> None:
    """Send the events."""
    with app.producer_pool.acquire(block=True) as producer:
        for event in events():
            count.apply_async((event,), producer=producer)


def leftovers() -> None:
    """Print how many messages no worker has acknowledged."""
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        if connection.transport.driver_type == "redis":
            left = channel.client.llen(QUEUE) + channel.client.hlen("unacked")
        else:
            left = channel.queue_declare(QUEUE, passive=True).message_count
    print(json.dumps(left))


if __name__ == "__main__":
    {"publish": publish, "leftovers": leftovers}[sys.argv[1]]()
