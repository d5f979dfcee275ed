"""What integration tests share."""

import pytest

from tests.support.flows import Flow
from tests.support.stacks import own_flow, own_stack
from tests.support.workers import start_worker

__all__ = ["own_flow", "own_stack", "shop", "start_worker"]


@pytest.fixture
def shop(settings, make_topic):
    """The shop's topics on the session's broker."""
    flow = Flow(settings, make_topic)
    yield flow
    flow.sender.close()
