"""Decoding ahead never keeps the agent's thread from its other work."""

import threading
from importlib import import_module

from consumers.runtime import ahead as module
from consumers.runtime.ahead import Ahead
from consumers.runtime.local import agent_named
from tests.support.flows import eventually
from tests.support.kits import order_record, shop_kit


def test_nothing_is_decoded_ahead_and_nobody_waits_until_what_it_takes_is_loaded(monkeypatch):
    kit = shop_kit()
    may_load = threading.Event()

    def load_slowly(name):
        may_load.wait(30)
        return import_module(name)

    monkeypatch.setattr(module, "import_module", load_slowly)
    ahead = Ahead.of(agent_named(kit, "threads"), kit)
    values = [order_record(kit, number).value for number in range(30)]
    assert ahead.events(values) is None
    assert ahead.events(values) is None, "it is still being loaded"
    may_load.set()
    events = eventually(lambda: ahead.events(values))
    assert [event.order_id for event in events] == [f"o{number}" for number in range(30)]
