"""The fixtures that every other test stands on."""

import json
import urllib.request
from collections.abc import Callable

import psycopg
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from schemas.settings import Settings


def test_a_record_goes_to_the_broker_and_comes_back(settings: Settings, make_topic: Callable[..., str]) -> None:
    topic = make_topic("greetings", partitions=1)
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    producer.produce(topic, b"hello", b"key")
    assert producer.flush(10) == 0
    consumer = Consumer(
        {"bootstrap.servers": settings.bootstrap_servers, "group.id": topic, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    message = consumer.poll(10)
    consumer.close()
    assert message is not None
    assert (message.key(), message.value()) == (b"key", b"hello")


def test_a_topic_is_made_under_the_tests_own_prefix_with_its_configuration(
    settings: Settings, admin: AdminClient, make_topic: Callable[..., str]
) -> None:
    topic = make_topic("short-lived", partitions=3, retention_ms=1000)
    assert topic == f"{settings.prefix}short-lived"
    assert len(admin.list_topics(topic, timeout=10).topics[topic].partitions) == 3


def test_the_registry_gives_a_schema_back_by_the_id_it_gave(registry_url: str) -> None:
    schema = {"schema": '{"type": "string"}'}
    request = urllib.request.Request(
        f"{registry_url}/subjects/fixture-value/versions",
        data=json.dumps(schema).encode(),
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request) as answer:
        identity = json.load(answer)["id"]
    with urllib.request.urlopen(f"{registry_url}/schemas/ids/{identity}") as answer:
        assert json.loads(json.load(answer)["schema"]) in ("string", {"type": "string"})


def test_the_database_is_a_real_postgresql(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "", 1)) as connection:
        row = connection.execute("select version()").fetchone()
    assert row is not None
    assert row[0].startswith("PostgreSQL")
