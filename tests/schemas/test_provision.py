"""Against the real broker and the real registry."""

import socket
import time

import msgspec
import pytest
from confluent_kafka.admin import AdminClient

from consumers.runtime.agent import Agent, Order
from schemas import provision
from schemas.catalogue import Catalogue, built_in
from schemas.errors import RegistryUnavailableError, UnreachableError
from schemas.registry import COMPATIBILITY, Registry
from schemas.settings import Settings
from schemas.topics import MAX_MESSAGE_BYTES, Topic

AGENTS = (
    Agent(name="images", topics=("images.uploaded",), handler="shop:images", order=Order.UNORDERED),
    Agent(name="overview", topics=("images.processed", "images.dlq"), handler="shop:overview"),
)


def _config(settings: Settings, topic: str) -> dict[str, str]:
    """The topic's properties; a topic that was created a moment ago may take another to be known."""
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    return provision._configs(admin, [topic], settings)[topic]


def _actions(steps: list[provision.Step]) -> set[str]:
    return {step.action for step in steps}


def test_everything_is_created_once_and_found_the_second_time(
    settings: Settings, admin: AdminClient, registry_url: str
) -> None:
    settings = msgspec.structs.replace(settings, registry_url=registry_url)
    first = provision.plan(settings, built_in(), agents=AGENTS)
    assert _actions(first) == {"create", "register", "set"}
    provision.apply(settings, first)

    second = provision.plan(settings, built_in(), agents=AGENTS)
    assert _actions(second) == {"keep"}
    topics = {name for name in admin.list_topics(timeout=10).topics if name.startswith(settings.prefix)}
    assert topics == {step.name for step in second if step.kind == "topic"}
    registry = Registry(registry_url)
    assert registry.versions(f"{settings.prefix}texts.posted-value") == [1]
    assert registry.compatibility(f"{settings.prefix}texts.posted-value") == COMPATIBILITY


def test_the_broker_keeps_batches_as_producers_compress_them(settings: Settings, admin: AdminClient) -> None:
    provision.apply(settings, provision.plan(settings, built_in(), agents=AGENTS))
    for name in ("activity.recorded", "images.dlq", "images.retry.5s"):
        assert _config(settings, settings.names.topic(name))["compression.type"] == "producer"


def test_a_dead_letter_topic_keeps_for_ever_and_takes_what_its_origins_take(
    settings: Settings, admin: AdminClient
) -> None:
    provision.apply(settings, provision.plan(settings, built_in(), agents=AGENTS))
    images = _config(settings, settings.names.dead_letter("images"))
    assert (images["retention.ms"], images["cleanup.policy"]) == ("-1", "delete")
    assert int(images["max.message.bytes"]) == MAX_MESSAGE_BYTES + 64 * 1024
    overview = _config(settings, settings.names.dead_letter("overview"))
    assert int(overview["max.message.bytes"]) == MAX_MESSAGE_BYTES + 2 * 64 * 1024
    for name in ("headrace.workers", "headrace.dead-letters", "headrace.jobs", "headrace.control"):
        assert _config(settings, settings.names.topic(name))["cleanup.policy"] == "compact"


def test_retry_topics_keep_for_ever_and_are_as_wide_as_their_origin(settings: Settings, admin: AdminClient) -> None:
    provision.apply(settings, provision.plan(settings, built_in(), agents=AGENTS))
    known = admin.list_topics(timeout=10).topics
    own = [name for name in known if name.startswith(settings.prefix) and ".retry." in name]
    assert {name.removeprefix(settings.prefix): len(known[name].partitions) for name in own} == {
        "images.retry.5s": 4,
        "images.retry.1m": 4,
        "images.retry.10m": 4,
        "overview.retry.0s": 4,
    }
    topic = _config(settings, settings.names.retry("images", 60))
    assert (topic["retention.ms"], topic["cleanup.policy"]) == ("-1", "delete")
    assert topic["message.timestamp.type"] == "LogAppendTime"
    assert int(topic["max.message.bytes"]) == MAX_MESSAGE_BYTES + 64 * 1024


def test_a_dead_letter_topic_follows_the_limit_that_its_origin_really_has(settings: Settings, make_topic) -> None:
    make_topic("images.uploaded", max_message_bytes=5_000_000)
    steps = {step.name: step for step in provision.plan(settings, built_in(), agents=AGENTS)}
    assert steps[settings.names.dead_letter("images")].config["max.message.bytes"] == str(5_000_000 + 64 * 1024)


def test_what_differs_is_said_and_left_as_it_is(settings: Settings, admin: AdminClient, make_topic) -> None:
    topic = make_topic("texts.posted", partitions=2, retention_ms=1_000)
    steps = {step.name: step for step in provision.plan(settings, built_in())}
    assert steps[topic].action == "differs"
    assert "partitions is 2, the catalogue says 4" in steps[topic].detail
    assert "retention.ms is 1000, the catalogue says 604800000" in steps[topic].detail
    provision.apply(settings, list(steps.values()))
    assert len(admin.list_topics(timeout=10).topics[topic].partitions) == 2
    assert _config(settings, topic)["retention.ms"] == "1000"


def test_a_subject_with_another_compatibility_is_said_and_left(settings: Settings, registry_url: str) -> None:
    settings = msgspec.structs.replace(settings, registry_url=registry_url)
    subject = f"{settings.prefix}texts.posted-value"
    registry = Registry(registry_url)
    registry.register(subject, built_in().schemas["TextPosted"])
    registry.set_compatibility(subject, "BACKWARD")
    (step,) = [step for step in provision.plan(settings, built_in()) if step.name == subject]
    assert (step.action, step.detail) == ("differs", f"compatibility is BACKWARD, the catalogue says {COMPATIBILITY}")


def test_a_topic_that_appeared_since_the_plan_is_no_failure(settings: Settings, make_topic) -> None:
    steps = provision.plan(settings, built_in())
    make_topic("texts.posted")
    provision.apply(settings, steps)
    assert "create" not in _actions(provision.plan(settings, built_in()))


def test_a_topic_that_the_broker_refuses_is_named_with_the_reason(settings: Settings) -> None:
    wrong = Topic(name="wrong", record="headrace.TextPosted", config={"segment.bytes": "-5"})
    catalogue = Catalogue({**built_in().topics, "wrong": wrong}, built_in().schemas)
    with pytest.raises(
        provision.ProvisionError, match=rf"topic {settings.prefix}wrong cannot be created: .*segment\.bytes"
    ):
        provision.apply(settings, provision.plan(settings, catalogue))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_broker_that_is_not_there_is_unreachable_with_a_remedy() -> None:
    started = time.monotonic()
    with pytest.raises(UnreachableError, match="check KAFKA_BOOTSTRAP_SERVERS"):
        provision.plan(Settings(bootstrap_servers=f"127.0.0.1:{_free_port()}"), built_in())
    assert time.monotonic() - started < provision.BROKER_TIMEOUT_S * 2


def test_a_registry_that_is_not_there_is_unreachable(settings: Settings) -> None:
    settings = msgspec.structs.replace(settings, registry_url=f"http://127.0.0.1:{_free_port()}")
    with pytest.raises(RegistryUnavailableError):
        provision.plan(settings, built_in())
