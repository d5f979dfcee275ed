"""Decoding together keeps nobody waiting, and nobody suffers from a neighbour."""

import threading
from importlib import import_module

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from consumers.runtime import together as module
from consumers.runtime.together import Together
from tests.support.flows import eventually
from tests.support.kits import order_record, shop_kit
from tests.support.shop.records import OrderPlaced


@pytest.fixture(scope="module")
def loaded():
    """A kit, and what decodes for it, ready to."""
    kit = shop_kit()
    together = Together(kit.codec, OrderPlaced)
    eventually(lambda: together.decode([order_record(kit, 0).value] * 100))
    return kit, together


def test_nothing_is_decoded_together_and_nobody_waits_until_what_it_takes_is_loaded(monkeypatch):
    kit = shop_kit()
    may_load = threading.Event()

    def load_slowly(name):
        may_load.wait(30)
        return import_module(name)

    monkeypatch.setattr(module, "import_module", load_slowly)
    together = Together(kit.codec, OrderPlaced)
    values = [order_record(kit, number).value for number in range(30)]
    assert together.decode(values) is None
    assert together.decode(values) is None, "it is still being loaded"
    may_load.set()
    events = eventually(lambda: together.decode(values))
    assert [event.order_id for event in events] == [f"o{number}" for number in range(30)]


@example(["ok"] * 60)
@example(["ok"] * 60 + ["torn"])
@example(["ok"] * 60 + ["tombstone"])
@given(st.lists(st.sampled_from(["ok", "ok", "ok", "torn", "foreign", "tombstone"]), max_size=80))
def test_each_is_decoded_as_it_would_be_alone_or_left_to_that(loaded, kinds):
    kit, together = loaded
    good = [order_record(kit, number).value for number in range(len(kinds))]
    forms = {"ok": lambda value: value, "torn": lambda value: value[:-2], "foreign": lambda _: b"garbage"}
    values = [forms[kind](value) if kind in forms else None for kind, value in zip(kinds, good, strict=True)]
    events = together.decode(values)
    if len(kinds) >= 60 and set(kinds) == {"ok"}:
        assert None not in events
    for number, event in enumerate(events or ()):
        assert event is None or (kinds[number], event.order_id) == ("ok", f"o{number}")


def test_few_values_and_large_ones_are_left_alone(loaded):
    kit, together = loaded
    value = order_record(kit, 0, wish="x" * 5000).value
    assert together.decode([value] * 100) is None
    assert together.decode([order_record(kit, 0).value] * 10) is None


class Panic(BaseException):
    """What polars raises is no Exception."""


@pytest.mark.parametrize("error", [MemoryError("no room"), Panic("index out of bounds")])
def test_when_the_one_call_fails_each_is_left_to_itself_and_that_is_said(loaded, monkeypatch, error):
    kit, together = loaded

    def fail(_values, _reader):
        raise error

    monkeypatch.setattr(kit.codec, "typed", fail)
    with capture_logs() as said:
        assert together.decode([order_record(kit, 0).value] * 30) is None
    assert [(line["event"], line["records"], line["error"]) for line in said] == [
        ("not_decoded_together", 30, type(error).__name__)
    ]
