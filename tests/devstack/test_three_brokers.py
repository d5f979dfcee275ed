"""Three brokers: each record three times, and one of them may die."""

import time

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

import devstack
from tests.support import plain
from tests.support.broker import scratch_folder
from tests.support.flows import eventually


def min_in_sync(admin: AdminClient, topic: ConfigResource) -> str | None:
    """The topic's setting; None while the broker that was asked has not heard of the topic."""
    try:
        value: str = admin.describe_configs([topic])[topic].result(timeout=10)["min.insync.replicas"].value
    except KafkaException as error:
        if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise
        return None
    return value


@pytest.mark.slow
def test_three_brokers_keep_each_record_three_times_and_take_records_while_its_leader_is_dead() -> None:
    with scratch_folder() as folder, devstack.up(brokers=3, port=0, data=folder) as stack:
        admin = plain.admin_of(stack.bootstrap_servers)
        plain.create_topic(admin, "safe")
        assert in_sync(admin) == 3
        topic = ConfigResource(ResourceType.TOPIC, "safe")
        assert eventually(lambda: min_in_sync(admin, topic)) == "2"
        leader = admin.list_topics("safe", timeout=10).topics["safe"].partitions[0].leader

        stack.kill(leader - 1)
        plain.write(stack.bootstrap_servers, "safe", [b"without the leader"])
        stack.start(leader - 1)

        deadline = time.monotonic() + 30
        while in_sync(admin) < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert in_sync(admin) == 3
        assert plain.read(stack.bootstrap_servers, "safe", 1) == [b"without the leader"]


def in_sync(admin: AdminClient) -> int:
    return len(admin.list_topics("safe", timeout=10).topics["safe"].partitions[0].isrs)
