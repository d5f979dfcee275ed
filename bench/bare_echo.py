"""`python -m bench.bare_echo`: the bare client's way from question to answer, a floor for what an agent can reach.

It produces the bytes that it consumed, at once: fetching is set as Headrace's, and so are its linger and idempotence. It decodes
nothing, waits for no acknowledgement, and commits as the client does by default, every five seconds, whatever came of the records.
"""

import os
import signal
import sys
from typing import Any

from confluent_kafka import Consumer, Producer

from bench.agents import ANSWERED, ASKED
from consumers.runtime.group import FETCHING


def main() -> None:
    """Answer until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    servers = {"bootstrap.servers": os.environ["BENCH_BROKER"]}
    own: dict[str, Any] = {"group.id": "bare-echo", "group.protocol": "consumer", "auto.offset.reset": "latest"}
    consumer: Any = Consumer({**servers, **FETCHING, **own})
    producer: Any = Producer({**servers, "enable.idempotence": True, "linger.ms": 0})
    consumer.subscribe([ASKED])
    try:
        while True:
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                producer.produce(ANSWERED, message.value(), message.key())
            producer.poll(0)
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
