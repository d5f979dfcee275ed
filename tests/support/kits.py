"""A kit over the shop's catalogue, and records for it, with no broker."""

import math
import time
from queue import Empty, SimpleQueue

from consumers.runtime.chunk import Chunk, Purpose
from consumers.runtime.executors import make_executor
from consumers.runtime.kit import open_kit
from consumers.runtime.lanes import Lanes
from consumers.runtime.local import agent_named
from consumers.runtime.record import Record
from schemas.settings import Settings
from tests.support.shop.records import OrderPlaced

SHOP = "tests.support.shop.agents"


def shop_kit(**changes):
    """The shop's kit, without a registry."""
    return open_kit(Settings(**{"catalogue": SHOP, **changes}))


def order_record(kit, offset, *, wish="ok", key=b"k", attempt=1, sequence=0):
    """An encoded order as a consumed record."""
    event = OrderPlaced(order_id=f"o{offset}", wish=wish, sequence=sequence)
    return Record(
        "orders.placed",
        0,
        offset,
        1_700_000_000_000,
        key,
        kit.codec.encode(event, topic="orders.placed"),
        attempt=attempt,
    )


class Owner:
    """What a chunk must know of its assignment."""

    topic, partition, topic_id = "orders.placed", 0, "id"
    stored = 0


class Bench:
    """An executor of the shop's agent of that name, and a queue of what came back."""

    def __init__(self, name, **changes):
        self.kit = shop_kit(**changes)
        self.agent = agent_named(self.kit, name)
        self.back = SimpleQueue()
        self.executor = make_executor(self.agent, self.kit, state=None, done=self.back.put)
        self.executor.start()

    def submit(self, records, purpose=Purpose.RECORDS, limit_s=math.inf, events=None):
        lanes = Lanes(lanes=1, order=self.agent.order)
        deadline_s, key_of = self.agent.deadline_s, lanes.key_of
        chunk = Chunk(
            Owner(), 0, records, key_of, deadline_s=deadline_s, limit_s=limit_s, purpose=purpose, events=events
        )
        self.executor.submit(chunk)
        return chunk

    def result(self, limit_s=20.0):
        """The outcomes of the next chunk that comes back."""
        until_s = time.monotonic() + limit_s
        while time.monotonic() < until_s:
            self.executor.expire(time.monotonic())
            assert self.executor.broken is None, self.executor.broken
            try:
                return self.back.get(timeout=0.05).outcomes
            except Empty:
                continue
        raise AssertionError("the chunk did not come back")

    def run(self, *wishes, keys=None):
        """Outcomes of one chunk of such orders; each has a key of its own unless said otherwise."""
        keys = keys or [f"k{index}".encode() for index in range(len(wishes))]
        self.submit([order_record(self.kit, index, wish=wish, key=keys[index]) for index, wish in enumerate(wishes)])
        return self.result()
