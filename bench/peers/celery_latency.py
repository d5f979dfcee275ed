"""A Celery task whose result is consumed: `celery -A celery_latency worker`; `python celery_latency.py` asks."""

import os
import threading

from asking import Answers, ask
from celery import Celery

app = Celery("bench", broker=os.environ["BENCH_BROKER"], backend="rpc://")
app.conf.update(task_acks_late=True, worker_disable_rate_limits=True, broker_connection_retry_on_startup=True)


@app.task(name="echo")
def echo(asked_us: int) -> int:
    """The question again."""
    return asked_us


def main() -> None:
    """Ask, while a thread drains the reply queue."""
    answers = Answers()
    consumer = app.backend.result_consumer
    consumer.start(echo.delay(0).id)
    consumer.on_message = lambda found: answers.came(found["result"]) if found["result"] else None

    def receive() -> None:
        while True:
            try:
                consumer.drain_events(timeout=1)
            except TimeoutError:
                continue

    threading.Thread(target=receive, daemon=True).start()
    answers.print(ask(echo.delay))


if __name__ == "__main__":
    main()
