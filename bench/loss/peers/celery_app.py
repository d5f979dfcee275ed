"""A Celery task on RabbitMQ: `celery -A celery_app worker`; `python celery_app.py publish|leftovers`."""

import json
import os
import sys
from pathlib import Path

from amqp_queues import drain
from celery import Celery
from shared import handle

app = Celery("bench", broker=os.environ["BENCH_BROKER"])
OPTIONS = {
    "": {},
    "late": {"acks_late": True, "reject_on_worker_lost": True},
    "retry": {"acks_late": True, "reject_on_worker_lost": True, "autoretry_for": (Exception,), "retry_backoff": True},
}


@app.task(name="work", ignore_result=True, **OPTIONS[os.environ["BENCH_VARIANT"]])
def work(item_id: str, kind: str) -> None:
    """Handle one id."""
    handle(item_id, kind)


def publish() -> None:
    """Send every id of the list."""
    for item_id, kind in json.loads((Path(os.environ["BENCH_FOLDER"]) / "items.json").read_text()):
        work.delay(item_id, kind)


def leftovers() -> None:
    """Print the ids that are still in the queue (the body is [args, kwargs, embed])."""
    waiting = [json.loads(body)[0][0] for body in drain(["celery"])]
    print(json.dumps({"waiting": waiting, "dead": []}))


if __name__ == "__main__":
    {"publish": publish, "leftovers": leftovers}[sys.argv[1]]()
