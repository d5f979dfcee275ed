"""What the broker says of an agent's group."""

from confluent_kafka.admin import AdminClient

from tests.support.patience import patiently


def group_of(flow, agent):
    """The group's type, and how many partitions each member has."""
    admin = AdminClient({"bootstrap.servers": flow.settings.bootstrap_servers, "log_level": 2})
    group = flow.settings.names.group(agent)
    found = patiently(lambda: admin.describe_consumer_groups([group], request_timeout=10)[group].result(10))
    return found.type.name, sorted(len(member.assignment.topic_partitions) for member in found.members)
