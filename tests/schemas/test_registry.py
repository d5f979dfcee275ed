"""Against the real schema registry."""

import secrets
import socket
import sys
import threading
import time
from contextlib import suppress

import pytest

from schemas.codec import Codec
from schemas.errors import (
    ConfigurationError,
    DecodeError,
    IncompatibleSchemaError,
    MissingExtraError,
    RegistryUnavailableError,
    SchemaIdUnknownError,
    SchemaNotFoundError,
    UnreachableError,
)
from schemas.framing import confluent_prefix
from schemas.records import TextPosted
from schemas.registry import COMPATIBILITY, Registry
from schemas.schema_set import Schema, SchemaSet
from tests.support import avro

TEXT = TextPosted(text_id="a", text="hi", event_id="e", occurred_at=1)


@pytest.fixture
def registry(registry_url: str) -> Registry:
    return Registry(registry_url)


@pytest.fixture
def topic() -> str:
    return f"t{secrets.token_hex(4)}.texts"


def test_an_event_survives_the_registry(registry: Registry, registry_url: str, topic: str) -> None:
    value = Codec(SchemaSet.load(), registry=registry).encode(TEXT, topic=topic)
    stranger = Codec(SchemaSet.load(), registry=Registry(registry_url))
    assert value[0] == 0
    assert stranger.decode(value, TextPosted) == TEXT
    assert stranger.decode_any(value)[0] == "headrace.TextPosted"
    assert stranger.columns([value] * 3, TextPosted).frame.get_column("text").to_list() == ["hi"] * 3


def test_a_schema_is_registered_once_and_looked_up_afterwards(registry: Registry, topic: str) -> None:
    schema = SchemaSet.load()["TextPosted"]
    subject = f"{topic}-value"
    assert registry.lookup(subject, schema) is None
    assert registry.versions(subject) == []
    schema_id = registry.register(subject, schema)
    assert registry.register(subject, schema) == schema_id
    assert registry.lookup(subject, schema) == schema_id
    assert registry.versions(subject) == [1]
    assert registry.schema(schema_id).fingerprint == schema.fingerprint


def test_an_incompatible_schema_is_refused_under_a_compatibility_level(registry: Registry, topic: str) -> None:
    subject = f"{topic}-value"
    registry.register(subject, Schema.of(avro.event_schema({"name": "n", "type": "int"})))
    assert registry.compatibility(subject) in {None, "NONE"}  # the registry's default, by its make
    registry.set_compatibility(subject)
    assert registry.compatibility(subject) == COMPATIBILITY
    with pytest.raises(IncompatibleSchemaError, match=subject):
        registry.register(subject, Schema.of(avro.event_schema({"name": "n", "type": "string"})))


def test_a_stranger_with_a_newer_schema_is_read_in_our_form(registry: Registry, topic: str) -> None:
    ours = SchemaSet.load()
    raw = ours["TextPosted"].raw
    newer = {**raw, "fields": [*raw["fields"], {"name": "mood", "type": "string", "default": "calm"}]}
    theirs = SchemaSet({"headrace.TextPosted": Schema.of(newer)})
    value = Codec(theirs, registry=registry).encode(TEXT_AND_MOOD(theirs), topic=topic)
    codec = Codec(ours, registry=registry)
    assert codec.decode(value, TextPosted) == TEXT
    assert codec.decode_any(value)[1]["mood"] == "calm"
    assert codec.columns([value, value[:-1]], TextPosted).frame.get_column("text_id").to_list() == ["a"]


def TEXT_AND_MOOD(schemas: SchemaSet) -> TextPosted:  # noqa: N802
    return avro.module_of(schemas).TextPosted(text_id="a", text="hi", event_id="e", occurred_at=1)


def test_an_unknown_id_is_its_own_error_and_asked_for_again_later(registry: Registry) -> None:
    codec = Codec(SchemaSet.load(), registry=registry)
    for _ in range(2):
        with pytest.raises(SchemaIdUnknownError) as caught:
            codec.decode(confluent_prefix(987_654) + b"x", TextPosted)
        assert caught.value.schema_id == 987_654
    assert codec.columns([confluent_prefix(987_654) + b"x"], TextPosted).bad[0].schema_id == 987_654


def test_a_registered_recursive_schema_is_poison_and_not_a_crash(registry: Registry, topic: str) -> None:
    import confluent_kafka.schema_registry as api

    node = '{"type":"record","name":"Node","fields":[{"name":"next","type":["null","Node"]}]}'
    schema_id = registry._client.register_schema(f"{topic}-value", api.Schema(node, "AVRO"))
    with pytest.raises(DecodeError, match="Node contains itself"):
        Codec(SchemaSet.load(), registry=registry).decode(confluent_prefix(schema_id) + b"\x02" * 100_000, TextPosted)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_registry_that_is_down_is_unreachable_and_no_poison() -> None:
    codec = Codec(SchemaSet.load(), registry=Registry(f"http://127.0.0.1:{_free_port()}"))
    value = confluent_prefix(1) + b"x"
    for call in (
        lambda: codec.decode(value, TextPosted),
        lambda: codec.columns([value], TextPosted),
        lambda: codec.encode(TEXT, topic="t"),
    ):
        with pytest.raises(RegistryUnavailableError, match="does not answer") as caught:
            call()
        assert isinstance(caught.value, UnreachableError)
        assert not isinstance(caught.value, DecodeError)


def test_a_registry_that_accepts_and_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        registry = Registry(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.3)
        with pytest.raises(RegistryUnavailableError, match=r"(?i)timeout|timed out"):
            registry.schema(1)


def test_what_is_no_registry_is_unavailable_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with suppress(OSError):  # the test is over, and its socket closed
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(4096)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(RegistryUnavailableError):
            Registry(f"http://127.0.0.1:{server.getsockname()[1]}").schema(1)


def test_a_password_in_the_url_is_never_shown() -> None:
    with pytest.raises(RegistryUnavailableError) as caught:
        Registry(f"http://me:hunter2@127.0.0.1:{_free_port()}").schema(1)
    assert "hunter2" not in str(caught.value)


def test_a_url_that_is_none_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="SCHEMA_REGISTRY_URL=nonsense"):
        Registry("nonsense")


def test_without_the_extra_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka.schema_registry", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'headrace\[registry\]'"):
        Registry("http://127.0.0.1:1")


def test_an_id_that_becomes_known_is_found(registry: Registry, topic: str) -> None:
    schema = Schema.of(
        avro.event_schema({"name": f"n{secrets.token_hex(4)}", "type": "int"}, name=f"N{secrets.token_hex(4)}")
    )
    first = registry.register(f"{topic}-value", schema)
    fresh = Registry(registry.url)
    with pytest.raises(SchemaNotFoundError):
        fresh.schema(first + 1)
    other = Schema.of(avro.event_schema(name=f"N{secrets.token_hex(4)}"))
    assert registry.register(f"{topic}-other-value", other) == first + 1
    deadline = time.monotonic() + 20
    found = None
    while found is None and time.monotonic() < deadline:
        time.sleep(0.2)
        with suppress(SchemaNotFoundError):
            found = fresh.schema(first + 1)
    assert found is not None
    assert found.fingerprint == other.fingerprint
