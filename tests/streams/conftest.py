"""What tests of the worker and its commands share."""

import pytest

from tests.support.flows import Flow
from tests.support.workers import start_worker

__all__ = ["shop", "start_worker", "workers_topic"]


@pytest.fixture
def shop(settings, make_topic):
    """The shop's topics on the session's broker."""
    flow = Flow(settings, make_topic)
    yield flow
    flow.sender.close()


@pytest.fixture
def workers_topic(shop):
    """The topic in which workers tell of themselves."""
    return shop.make_topic("headrace.workers", partitions=1, cleanup_policy="compact")
