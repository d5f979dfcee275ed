import json
import socket

import pytest
from confluent_kafka.admin import AdminClient

from schemas.settings import Settings
from streams.cli import root, run


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("HEADRACE_PREFIX", settings.prefix)
    monkeypatch.delenv("SCHEMA_REGISTRY_URL", raising=False)
    monkeypatch.delenv("HEADRACE_CATALOGUE", raising=False)


def _rows(capfd: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {row["name"]: row["action"] for row in map(json.loads, capfd.readouterr().out.splitlines())}


def _topics(admin: AdminClient, settings: Settings) -> set[str]:
    return {name for name in admin.list_topics(timeout=10).topics if name.startswith(settings.prefix)}


def test_a_dry_run_shows_the_plan_and_creates_nothing(settings: Settings, admin: AdminClient, capfd) -> None:
    assert run(root, ["init", "--dry-run", "-o", "jsonl"]) == 0
    assert set(_rows(capfd).values()) == {"create"}
    assert _topics(admin, settings) == set()


def test_init_creates_every_topic_and_is_idempotent(settings: Settings, admin: AdminClient, capfd) -> None:
    assert run(root, ["init", "-o", "jsonl"]) == 0
    created = _rows(capfd)
    assert _topics(admin, settings) == set(created)
    assert {settings.names.topic("texts.posted"), settings.names.dead_letter("images")} <= set(created)
    assert run(root, ["init", "-o", "jsonl", "--yes"]) == 0
    assert set(_rows(capfd).values()) == {"keep"}


def test_what_differs_is_listed_and_no_failure(settings: Settings, make_topic, capfd) -> None:
    topic = make_topic("texts.posted", partitions=1)
    assert run(root, ["init"]) == 0
    out, err = capfd.readouterr()
    assert "differs" in out
    assert topic in out
    assert "1 different and left as they are" in err


def test_the_registry_gets_the_schemas(
    settings: Settings, registry_url: str, monkeypatch: pytest.MonkeyPatch, capfd
) -> None:
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", registry_url)
    assert run(root, ["init", "-o", "jsonl"]) == 0
    assert f"{settings.prefix}texts.posted-value" in _rows(capfd)
    assert run(root, ["init", "-o", "jsonl"]) == 0
    assert set(_rows(capfd).values()) == {"keep"}


def test_a_missing_broker_is_exit_3_with_one_clear_error(monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{port}")
    assert run(root, ["init"]) == 3
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"error: no Kafka broker answers at 127.0.0.1:{port}")
    assert len(err.splitlines()) == 1


def test_a_wrong_catalogue_is_exit_2(capfd) -> None:
    assert run(root, ["init", "--catalogue", "no.such"]) == 2
    assert "catalogue no.such" in capfd.readouterr().err
