"""Who else reads a topic: the consumer groups that have commits on it, and so will see a record that is sent there again."""

from collections import defaultdict
from collections.abc import Collection
from contextlib import closing

from confluent_kafka import KafkaException

from consumers.runtime.broker_view import BrokerView, open_admin, reason_of
from schemas.errors import TimedOutError
from schemas.settings import Settings

_TIMEOUT_S = 10.0


def audience(settings: Settings, topics: Collection[str]) -> dict[str, list[str]]:
    """The groups with commits on each of these topics, sorted; of a group that may not be asked, the name and a question mark.

    Args:
        settings: where the broker is.
        topics: the broker's names.

    Raises:
        TimedOutError: if the broker does not list its groups.
    """
    admin = open_admin(settings)  # held until the answer: a client that is let go takes its requests with it
    try:
        listed = admin.list_consumer_groups(request_timeout=_TIMEOUT_S).result(_TIMEOUT_S + 5.0)
    except (KafkaException, TimeoutError) as error:
        raise TimedOutError(f"the broker does not list its consumer groups: {reason_of(error)}") from error
    readers: dict[str, list[str]] = defaultdict(list)
    with closing(BrokerView(settings)) as view:
        for group in sorted(found.group_id for found in listed.valid):
            committed = _committed(view, group, topics)
            for topic in topics:
                if committed is None or topic in committed:
                    readers[topic].append(f"{group}?" if committed is None else group)
    return dict(readers)


def _committed(view: BrokerView, group: str, topics: Collection[str]) -> set[str] | None:
    """Those of the topics on which the group has commits; None where it may not be asked."""
    try:
        return {topic for topic, _ in view.commits(group, topics)}
    except (KafkaException, TimeoutError):
        return None
