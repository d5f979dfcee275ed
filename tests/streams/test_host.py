"""The host of the agents: what it does to the process as a whole."""

import gc

import pytest

from streams import host


@pytest.fixture
def collections():
    """The generations that the garbage collector looks through; afterwards it is as it was."""
    thresholds, seen = gc.get_threshold(), []

    def note(phase, info):
        if phase == "start":
            seen.append(info["generation"])

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_the_collector_leaves_what_is_there_alone_and_keeps_no_thread_waiting_to_find_that_out(collections):
    host._collect_seldom()
    assert collections == []
    assert gc.get_freeze_count() > 10_000
    kept = [[] for _ in range(50_000)]
    assert (len(kept), collections) == (50_000, [])
