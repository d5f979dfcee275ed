"""`python -m bench.loss.implicit_acks`: records that an idempotent producer calls delivered, and that no log holds.

The topic is deleted and made again while nothing is on its way; then records are sent at once. What is acknowledged from then
on must stand in the new log. The bare client and Headrace's sender take turns. docs/delivery.md says why it happens.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

import devstack
from bench.loss.kafka import keys_in
from bench.say import say
from producers.sender import Sender
from schemas.settings import Settings

_PARTITIONS = 8
_EVERY_S = 0.000_05
_GONE_S = 1.0
_ANSWERED_S = 60.0
Send = Callable[[str, bytes, Any], None]
Flush = Callable[[float], int]


def main() -> None:
    """Print a line for each of the two."""
    made = argparse.ArgumentParser(prog="python -m bench.loss.implicit_acks", description=__doc__)
    made.add_argument("--rounds", type=int, default=25, help="how often the topic is made again (%(default)s)")
    made.add_argument("--records", type=int, default=4_000, help="sent in each round (%(default)s)")
    given = made.parse_args()
    with TemporaryDirectory() as folder, devstack.up(port=0, data=Path(folder)) as stack:
        settings = Settings(bootstrap_servers=stack.bootstrap_servers)
        sender = Sender(settings, client_id="bench")
        senders: dict[str, tuple[Send, Flush]] = {
            "bare": _bare(settings),
            "headrace": (
                lambda topic, value, told: sender.send(topic, value, key=value, on_delivery=told),
                sender.flush,
            ),
        }
        counts = {name: [0, 0, 0] for name in senders}
        for number in range(given.rounds):
            for name, way in senders.items():
                found = _round(settings.bootstrap_servers, name, *way, records=given.records)
                counts[name] = [sum(pair) for pair in zip(counts[name], found, strict=True)]
            say(f"round {number + 1} of {given.rounds}")
        sender.close()
    for name, (delivered, refused, missing) in counts.items():
        print(f"{name}: {delivered:,} called delivered, {missing} of them in no log; {refused} called failed")


def _bare(settings: Settings) -> tuple[Send, Flush]:
    """The client as its own documentation has it, with Headrace's bounds left out."""
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "enable.idempotence": True, "linger.ms": 0})

    def send(topic: str, value: bytes, told: Any) -> None:
        producer.produce(topic, value, value, on_delivery=told)
        producer.poll(0)

    return send, producer.flush


def _round(servers: str, topic: str, send: Send, flush: Flush, *, records: int) -> tuple[int, int, int]:
    """How many were called delivered, how many failed, and how many of the delivered are in no log."""
    _make_again(AdminClient({"bootstrap.servers": servers}), topic)
    delivered: set[str] = set()
    failed: set[str] = set()

    def told(error: Any, message: Any) -> None:
        (delivered if error is None else failed).add(message.key().decode())

    for number in range(records):
        send(topic, str(number).encode(), told)
        time.sleep(_EVERY_S)
    flush(_ANSWERED_S)
    return len(delivered), len(failed), len(delivered - keys_in(servers, topic))


def _make_again(admin: Any, topic: str) -> None:
    if topic in admin.list_topics(timeout=10).topics:
        admin.delete_topics([topic])[topic].result(20)
        time.sleep(_GONE_S)
    admin.create_topics([NewTopic(topic, _PARTITIONS, -1)])[topic].result(20)


if __name__ == "__main__":
    main()
