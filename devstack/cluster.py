"""Whether a cluster is up: every broker registered and serving."""

import logging
import time

from devstack.errors import DevstackError
from devstack.layout import Layout

_SILENT = logging.getLogger("devstack.cluster.librdkafka")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class ClusterNotReadyError(DevstackError):
    """Raised when the brokers run but some have not joined the cluster in time."""

    exit_code = 4


def wait_until_complete(layout: Layout, *, within_s: float = 60.0) -> None:
    """Wait until every broker of the layout is registered and unfenced.

    Raises:
        ClusterNotReadyError: saying how many are.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    client = AdminClient(
        {"bootstrap.servers": layout.bootstrap_servers, "reconnect.backoff.max.ms": 200, "log_level": 0}, logger=_SILENT
    )
    deadline = time.monotonic() + within_s
    found = 0
    while time.monotonic() < deadline:
        try:
            found = len(client.list_topics(timeout=2).brokers)
        except KafkaException:  # not up yet; what it says is of no use until the time is over
            found = 0
        if found == len(layout.ports):
            return
        time.sleep(0.05)
    raise ClusterNotReadyError(
        f"{found} of {len(layout.ports)} brokers at {layout.bootstrap_servers} joined the cluster within {within_s:.0f} s\n"
        "Look into broker-*/server.log in the data directory, or begin anew: python -m devstack up --fresh"
    )
