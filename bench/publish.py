"""`python -m bench.publish WAY COUNT`: publish events that are made beforehand, and print how long it took.

The clock runs from the first call until the broker has acknowledged every record and each answer has been looked at. All ways
use the same producer settings.
"""

import io
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec
from confluent_kafka import KafkaException
from fastavro import schemaless_writer

from bench.agents import PUBLISHED
from bench.events import activities
from bench.ground import CATALOGUE
from producers import Publisher
from producers.client_log import ClientLog
from producers.kafka import open_producer
from schemas.catalogue import built_in
from schemas.framing import single_object_prefix
from schemas.records import ActivityRecorded
from schemas.settings import Settings

_DIFFERENT = 50_000
"""Events to go round in: a million would fill the memory, and with it the time of the garbage collection."""


def main() -> None:
    """Publish, and print the seconds as JSON."""
    way, count = {"headrace": headrace, "bulk": bulk, "bare": bare}[sys.argv[1]], int(sys.argv[2])
    settings = Settings(bootstrap_servers=os.environ["BENCH_BROKER"], catalogue=CATALOGUE)
    print(json.dumps({"seconds": way(settings, list(activities(min(count, _DIFFERENT))), count)}))


def headrace(settings: Settings, events: list[ActivityRecorded], count: int) -> float:
    """Typed records through the publisher."""
    with Publisher(settings) as publisher:
        publisher.check_topic(PUBLISHED)
        started_s = time.perf_counter()
        for event in itertools.islice(itertools.cycle(events), count):
            publisher.publish(event, topic=PUBLISHED)
        publisher.flush()
        return time.perf_counter() - started_s


def bulk(settings: Settings, events: list[ActivityRecorded], count: int) -> float:
    """Typed records through the publisher, in one call."""
    with Publisher(settings) as publisher:
        publisher.check_topic(PUBLISHED)
        started_s = time.perf_counter()
        receipt = publisher.publish_all(itertools.islice(itertools.cycle(events), count), topic=PUBLISHED)
        acknowledged = receipt.result() if receipt else 0
        seconds = time.perf_counter() - started_s
    if acknowledged != count:
        raise RuntimeError("not every record was acknowledged")
    return seconds


def bare(settings: Settings, events: list[ActivityRecorded], count: int) -> float:
    """Dictionaries through fastavro and a `produce` loop."""
    schema = built_in().schemas["headrace.ActivityRecorded"]
    prefix, parsed = single_object_prefix(schema.fingerprint), schema.parsed
    plain: list[dict[str, Any]] = [msgspec.to_builtins(event) for event in events]
    producer = open_producer(settings, client_id="bare", log=ClientLog("bare"), on_error=_raise)
    producer.list_topics(PUBLISHED, timeout=10)
    answered = itertools.count()

    def delivered(error: Any, _message: Any) -> None:
        if error is not None:
            raise KafkaException(error)
        next(answered)

    started_s = time.perf_counter()
    for event in itertools.islice(itertools.cycle(plain), count):
        body = io.BytesIO()
        schemaless_writer(body, parsed, event)
        _produce(producer, prefix + body.getvalue(), event["user_id"], delivered)
        producer.poll(0)
    producer.flush()
    seconds = time.perf_counter() - started_s
    if next(answered) != count:
        raise RuntimeError("not every record was acknowledged")
    return seconds


def _produce(producer: Any, value: bytes, key: str, delivered: Callable[[Any, Any], None]) -> None:
    while True:
        try:
            producer.produce(PUBLISHED, value, key, on_delivery=delivered)
        except BufferError:
            producer.poll(0.05)
        else:
            return


def _raise(error: Any) -> None:
    raise KafkaException(error)


if __name__ == "__main__":
    main()
