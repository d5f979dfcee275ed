"""`python -m bench.ask`: ask the echo agent at an even pace, and print how long the answers took, as the peers' scripts do."""

import os
import threading
from collections.abc import Callable

from confluent_kafka import Consumer, TopicPartition

from bench.agents import ANSWERED, ASKED
from bench.ground import CATALOGUE
from bench.peers.asking import Answers, ask
from producers import Publisher
from schemas.catalogue import load_catalogue
from schemas.codec import Codec
from schemas.records import ActivityRecorded
from schemas.settings import Settings

_PARTITIONS = 4
_USERS = 1000


def main() -> None:
    """Publish questions, while a thread consumes the results."""
    settings = Settings(bootstrap_servers=os.environ["BENCH_BROKER"], catalogue=CATALOGUE)
    answers = Answers()
    listening = threading.Event()
    threading.Thread(target=_receive, args=(settings, answers, listening.set), daemon=True).start()
    listening.wait()
    with Publisher(settings) as publisher:
        publisher.check_topic(ASKED)

        def question(asked_us: int) -> None:
            event = ActivityRecorded(
                occurred_at=asked_us, user_id=f"user-{asked_us % _USERS}", kind="view", url="/", duration_ms=1
            )
            publisher.publish(event, topic=ASKED)

        answers.print(ask(question))


def _receive(settings: Settings, answers: Answers, listening: Callable[[], None]) -> None:
    codec = Codec(load_catalogue(CATALOGUE).schemas)
    consumer = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": "asker"})
    starts = [TopicPartition(ANSWERED, number) for number in range(_PARTITIONS)]
    for start in starts:
        start.offset = consumer.get_watermark_offsets(start, timeout=10)[1]
    consumer.assign(starts)
    listening()
    while True:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            answers.came(codec.decode(message.value() or b"", ActivityRecorded).occurred_at)


if __name__ == "__main__":
    main()
