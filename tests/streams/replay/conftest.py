"""What tests of replays share."""

import pytest

from schemas.catalogue import load_catalogue
from schemas.provision import apply, plan
from tests.streams.conftest import shop
from tests.support.replays import Process
from tests.support.workers import start_worker

__all__ = ["shop", "start_worker"]


@pytest.fixture
def flow(shop):
    """The shop's topics, with those that a replay needs beside."""
    for name in ("headrace.jobs", "headrace.control"):
        shop.make_topic(name, partitions=1, cleanup_policy="compact")
    shop.make_topic("threads.dlq", partitions=1)
    return shop


@pytest.fixture
def provisioned(settings):
    """Every topic of the built-in catalogue."""
    loaded = load_catalogue()
    apply(settings, plan(settings, loaded, agents=loaded.agents))
    return settings


@pytest.fixture
def start_replay():
    """Starts replays as processes; whatever still runs at the end is killed."""
    started = []

    def start(settings, *arguments):
        started.append(Process(settings, *arguments))
        return started[-1]

    yield start
    for process in started:
        process.close()
