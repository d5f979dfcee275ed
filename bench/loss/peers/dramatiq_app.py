"""A Dramatiq actor on RabbitMQ: `dramatiq dramatiq_app`; `python dramatiq_app.py publish|leftovers`."""

import json
import os
import sys
from pathlib import Path

import dramatiq
from amqp_queues import drain
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from shared import handle

dramatiq.set_broker(RabbitmqBroker(url=os.environ["BENCH_BROKER"]))


@dramatiq.actor
def work(item_id: str, kind: str) -> None:
    """Handle one id."""
    handle(item_id, kind)


def publish() -> None:
    """Send every id of the list."""
    for item_id, kind in json.loads((Path(os.environ["BENCH_FOLDER"]) / "items.json").read_text()):
        work.send(item_id, kind)


def leftovers() -> None:
    """Print the ids that wait in the queue, in its queue of delayed retries, or in its dead-letter queue."""
    print(json.dumps({"waiting": ids_in("default", "default.DQ"), "dead": ids_in("default.XQ")}))


def ids_in(*queues: str) -> list[str]:
    """The ids whose messages stand in these queues."""
    return [json.loads(body)["args"][0] for body in drain(list(queues))]


if __name__ == "__main__":
    {"publish": publish, "leftovers": leftovers}[sys.argv[1]]()
