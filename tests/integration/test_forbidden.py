"""What the broker forbids by an access control list is told, and waited for; no record pays for it."""

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tests.support.flows import eventually
from tests.support.stacks import restart_with


def acl(topic, operation, permission, kind=AclBinding):
    return kind(
        ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", operation, permission
    )  # fmt: skip


@pytest.mark.slow
def test_a_dead_letter_topic_that_may_not_be_written_holds_the_commit_and_is_told_until_it_may(
    own_stack, own_flow, start_worker
):
    dead = own_flow.make_topic("threads.dlq", partitions=1)
    restart_with(
        own_stack,
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found=true",
    )
    admin = AdminClient({"bootstrap.servers": own_stack.bootstrap_servers})
    rules = [
        acl(dead, AclOperation.WRITE, AclPermissionType.DENY),
        acl(dead, AclOperation.ALL, AclPermissionType.ALLOW),
    ]
    for future in admin.create_acls(rules).values():
        future.result(20)
    own_flow.place(("o1", "reject"), ("o2", "ok"))
    worker = start_worker(own_flow.settings, "--agents", "threads")
    said = worker.await_line("dead_letter_refused")
    assert "TOPIC_AUTHORIZATION_FAILED" in said
    assert "the record stays uncommitted, and its letter is sent again" in said
    eventually(lambda: len(own_flow.read(own_flow.confirmed)) == 1)  # the other one goes on
    assert own_flow.lag("threads") == 1
    assert own_flow.read(dead) == []
    forbidden = acl(dead, AclOperation.WRITE, AclPermissionType.DENY, AclBindingFilter)
    for future in admin.delete_acls([forbidden]).values():
        future.result(20)
    eventually(lambda: own_flow.lag("threads") == 0, limit_s=60)
    assert [message.key() for message in own_flow.read(dead)] == [b"o1"]
    assert worker.terminate() == 0
