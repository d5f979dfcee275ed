"""The registry: Confluent's protocol, compatibility, and ids that outlive a restart."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

import devstack
from devstack import Stack


def schema(*fields: str) -> Schema:
    record = {"type": "record", "name": "Thing", "fields": [{"name": name, "type": "string"} for name in fields]}
    return Schema(json.dumps(record), "AVRO")


@contextmanager
def client(stack: Stack) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": stack.registry_url}) as opened:
        yield opened


def test_a_schema_comes_back_by_the_id_that_it_was_given(stack_with_registry: Stack) -> None:
    with client(stack_with_registry) as registry:
        identity = registry.register_schema("round-trip-value", schema("a"))
        assert json.loads(registry.get_schema(identity).schema_str or "")["fields"][0]["name"] == "a"


def test_an_incompatible_schema_is_refused_with_409(stack_with_registry: Stack) -> None:
    with client(stack_with_registry) as registry:
        registry.set_compatibility("strict-value", "BACKWARD")
        registry.register_schema("strict-value", schema("a"))
        with pytest.raises(SchemaRegistryError) as caught:
            registry.register_schema("strict-value", schema("a", "new_without_default"))
    assert caught.value.http_status_code == 409


def test_everything_listens_on_the_loopback_interface_only(stack_with_registry: Stack) -> None:
    listening = [
        connection.laddr.ip.removeprefix("::ffff:")
        for server in stack_with_registry.servers
        if server.process
        for connection in psutil.Process(server.process.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr
    ]
    assert len(listening) >= 3
    assert set(listening) == {"127.0.0.1"}


def test_up_starts_only_what_is_down_and_ids_outlive_a_restart_since_records_hold_them(
    stack_with_registry: Stack,
) -> None:
    stack = stack_with_registry
    with client(stack) as registry:
        identity = registry.register_schema("lasting-value", schema("a", "b"))
    assert stack.registry
    assert stack.registry.process
    broker_pid = stack.pid(0)
    stack.registry.process.kill()
    assert not stack.is_up
    again = devstack.up(data=stack.data)
    assert (again.is_up, again.pid(0), again.registry_url) == (True, broker_pid, stack.registry_url)
    with client(again) as registry:
        assert json.loads(registry.get_schema(identity).schema_str or "")["fields"][1]["name"] == "b"
