"""`python -m bench.bare VARIANT`: the bare client loop, with which everything is compared.

`consume(1000)`, fastavro for each record, an asynchronous commit for each batch. As "tuned" it has the librdkafka settings that
Headrace has, as "defaults" librdkafka's own. It neither notices bytes that are no event nor knows what it has committed.
"""

import io
import os
import signal
import sys
from typing import Any

from confluent_kafka import Consumer
from fastavro import schemaless_reader

from bench.agents import ACTIVITY
from bench.peers.tally import mine
from consumers.runtime.group import FETCHING
from schemas.catalogue import built_in
from schemas.framing import single_object_prefix

_SCHEMA = built_in().schemas["headrace.ActivityRecorded"]
_BODY = len(single_object_prefix(_SCHEMA.fingerprint))
_OWN: dict[str, dict[str, str | float | bool]] = {"tuned": {**FETCHING, "group.protocol": "consumer"}, "defaults": {}}


def main() -> None:
    """Consume until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    consumer: Any = Consumer(
        {
            "bootstrap.servers": os.environ["BENCH_BROKER"],
            "group.id": os.environ["BENCH_GROUP"],
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **_OWN[sys.argv[1]],
        }
    )
    consumer.subscribe([ACTIVITY])
    schema, counts = _SCHEMA.parsed, mine.counts
    try:
        while True:
            messages = consumer.consume(1000, 0.1)
            for message in messages:
                if message.error() is None:
                    event: Any = schemaless_reader(io.BytesIO(message.value()[_BODY:]), schema, None)
                    counts[event["kind"]] += 1
            if messages:
                consumer.commit(asynchronous=True)
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
