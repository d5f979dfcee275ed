"""A stranger's client, plain confluent-kafka with Avro serializers, on both sides of an agent."""

import io
import json

import fastavro
import msgspec
import pytest
from confluent_kafka import DeserializingConsumer, SerializingProducer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import StringSerializer

from schemas.event import new_event_id
from tests.support.flows import Flow, eventually
from tests.support.workers import ROOT

AVSC = (ROOT / "tests" / "support" / "shop" / "schemas" / "order_placed.avsc").read_text()


@pytest.fixture
def registered(settings, registry_url, make_topic):
    """The shop on a broker with a registry."""
    flow = Flow(msgspec.structs.replace(settings, registry_url=registry_url), make_topic)
    flow.make_topic("threads.dlq", partitions=1)
    yield flow
    flow.sender.close()


@pytest.fixture
def registry(registry_url):
    # Without a time-out it waits for ever: one request was seen that the registry took and never answered. With one it asks again.
    with SchemaRegistryClient({"url": registry_url, "timeout": 15}) as client:
        yield client


def order(number):
    return {"event_id": new_event_id(), "occurred_at": 1_700_000_000_000_000, "order_id": f"s{number}", "sequence": number, "wish": "ok"}  # fmt: skip


def publish_as_a_stranger(flow, registry, orders):
    producer = SerializingProducer(
        {
            "bootstrap.servers": flow.settings.bootstrap_servers,
            "key.serializer": StringSerializer(),
            "value.serializer": AvroSerializer(registry, AVSC),
        }
    )
    for each in orders:
        producer.produce(flow.placed, key=each["order_id"], value=each)
    assert producer.flush(30) == 0


def read_as_a_stranger(flow, registry, topic):
    consumer = DeserializingConsumer(
        {
            "bootstrap.servers": flow.settings.bootstrap_servers,
            "group.id": "stranger",
            "enable.auto.commit": False,
            "value.deserializer": AvroDeserializer(registry),
        }
    )
    consumer.assign([TopicPartition(topic, number, 0) for number in range(4)])
    read = []
    while message := consumer.poll(2.0 if read else 30.0):  # the first one waits for the connection too
        assert message.error() is None
        read.append(message.value())
    consumer.close()
    return read


def test_a_stranger_s_producer_feeds_an_agent_and_its_consumer_reads_the_results(registered, registry, start_worker):
    publish_as_a_stranger(registered, registry, [order(number) for number in range(50)])
    worker = start_worker(registered.settings, "--agents", "threads")
    eventually(lambda: registered.lag("threads") == 0)
    results = read_as_a_stranger(registered, registry, registered.confirmed)
    assert sorted((result["order_id"], result["sequence"]) for result in results) == sorted(
        (f"s{number}", number) for number in range(50)
    )
    assert {result["occurred_at"].year for result in results} == {2023}
    assert registered.read(f"{registered.settings.prefix}threads.dlq") == []
    assert worker.terminate() == 0


def test_a_schema_that_the_stranger_has_extended_is_read_by_ours(registered, registry, start_worker):
    newer = json.loads(AVSC)
    newer["fields"].append({"name": "coupon", "type": "string", "default": ""})
    producer = SerializingProducer(
        {
            "bootstrap.servers": registered.settings.bootstrap_servers,
            "key.serializer": StringSerializer(),
            "value.serializer": AvroSerializer(registry, json.dumps(newer)),
        }
    )
    producer.produce(registered.placed, key="s1", value={**order(1), "coupon": "SPRING"})
    assert producer.flush(30) == 0
    worker = start_worker(registered.settings, "--agents", "threads")
    eventually(lambda: registered.lag("threads") == 0)
    assert [result["order_id"] for result in read_as_a_stranger(registered, registry, registered.confirmed)] == ["s1"]
    assert worker.terminate() == 0


def test_both_wire_formats_stand_side_by_side_in_one_topic(registered, registry, start_worker):
    registered.place(("confluent", "ok"))
    place_single_object(registered)
    assert {message.value()[:1] for message in registered.read(registered.placed)} == {b"\x00", b"\xc3"}
    worker = start_worker(registered.settings, "--agents", "threads")
    eventually(lambda: registered.lag("threads") == 0)
    results = read_as_a_stranger(registered, registry, registered.confirmed)
    assert sorted(result["order_id"] for result in results) == ["confluent", "single-object"]
    assert worker.terminate() == 0


def place_single_object(flow):
    """One order in Avro's single-object encoding, made by fastavro alone."""
    schema = fastavro.parse_schema(json.loads(AVSC))
    fingerprint = bytes.fromhex(
        fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(schema), "CRC-64-AVRO")
    )
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, {**order(1), "order_id": "single-object"})
    flow.sender.send(flow.placed, b"\xc3\x01" + fingerprint + body.getvalue(), key=b"single-object")
    assert flow.sender.flush(30) == 0


def test_without_a_registry_a_registry_record_waits_and_is_never_dead_lettered(registered, registry, start_worker):
    publish_as_a_stranger(registered, registry, [order(1)])
    bare = msgspec.structs.replace(registered.settings, registry_url=None)
    without = start_worker(bare, "--agents", "threads")
    without.await_line("kind=unavailable")
    assert registered.read(f"{registered.settings.prefix}threads.dlq") == []
    assert without.terminate() == 0
    assert registered.lag("threads") == 1
    with_it = start_worker(registered.settings, "--agents", "threads")
    eventually(lambda: registered.lag("threads") == 0)
    assert len(registered.read(registered.confirmed)) == 1
    assert with_it.terminate() == 0
