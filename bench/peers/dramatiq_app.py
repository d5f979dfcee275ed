"""A Dramatiq actor on RabbitMQ: `dramatiq dramatiq_app`; `python dramatiq_app.py publish|leftovers`."""

import json
import os
import sys

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from queued import events
from tally import mine

broker = RabbitmqBroker(url=os.environ["BENCH_BROKER"])
dramatiq.set_broker(broker)


@dramatiq.actor
def count(event: dict) -> None:
    """Count one event."""
    mine.counts[event["kind"]] += 1


def publish() -> None:
    """Send the events."""
    for event in events():
        count.send(event)


def leftovers() -> None:
    """Print how many messages no worker has acknowledged."""
    print(json.dumps(sum(broker.get_queue_message_counts("default"))))


if __name__ == "__main__":
    {"publish": publish, "leftovers": leftovers}[sys.argv[1]]()
