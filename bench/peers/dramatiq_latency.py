"""A Dramatiq actor whose result is consumed: `dramatiq dramatiq_latency -Q default`; `python dramatiq_latency.py` asks.

Dramatiq keeps results in Redis or Memcached, where whoever waits for one polls; a message in a queue of RabbitMQ is faster, so
the actor sends its result so, and the asker consumes it.
"""

import json
import os
import threading

import dramatiq
import pika
from asking import Answers, ask
from dramatiq.brokers.rabbitmq import RabbitmqBroker

broker = RabbitmqBroker(url=os.environ["BENCH_BROKER"])
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="answers")
def answer(asked_us: int) -> None:
    """Only ever received by the asker itself."""


@dramatiq.actor
def echo(asked_us: int) -> None:
    """Send the question back."""
    answer.send(asked_us)


def main() -> None:
    """Ask, while a thread consumes the answers."""
    answers = Answers()
    broker.declare_queue("answers", ensure=True)

    def receive() -> None:
        channel = pika.BlockingConnection(pika.URLParameters(os.environ["BENCH_BROKER"])).channel()
        channel.basic_qos(prefetch_count=1000)
        for method, _, body in channel.consume("answers"):
            answers.came(json.loads(body)["args"][0])
            channel.basic_ack(method.delivery_tag)

    threading.Thread(target=receive, daemon=True).start()
    answers.print(ask(echo.send))


if __name__ == "__main__":
    main()
