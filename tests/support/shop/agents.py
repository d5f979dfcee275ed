"""The shop's catalogue: one agent for each executor, and what tests need beside."""

from pathlib import Path

from consumers.runtime.agent import Agent, Executor, Order, RetryPolicy
from schemas.topics import Topic
from tests.support.shop import records as _records  # noqa: F401  a batch handler names no event class that would import them

SCHEMAS = Path(__file__).parent / "schemas"
TOPICS = (
    Topic(name="orders.placed", record="shop.OrderPlaced", key_field="order_id"),
    Topic(name="orders.confirmed", record="shop.OrderConfirmed", key_field="order_id"),
)

QUICK = RetryPolicy(attempts=3, first_delay_s=0.05, max_delay_s=0.2)
ASIDE = RetryPolicy(attempts=3, topic_delays_s=(1, 3), jitter=0.1)
PLAIN = "tests.support.shop.handlers:confirm"
EXACT = {"handler": "tests.support.shop.counting:count", "batch_records": 500, "exact": True, "output": None}


def agent(name: str, **changes: object) -> Agent:
    """An agent of the shop with short delays."""
    given: dict[str, object] = {
        "topics": ("orders.placed",), "output": "orders.confirmed", "handler": PLAIN, "retry": QUICK, "deadline_s": 1.0, **changes,
    }  # fmt: skip
    return Agent(name=name, **given)  # type: ignore[arg-type]


AGENTS = (
    agent("inline", executor=Executor.INLINE),
    agent("threads", executor=Executor.THREADS, concurrency=4),
    agent("processes", executor=Executor.PROCESSES, concurrency=2),
    agent("asyncio", executor=Executor.ASYNCIO, concurrency=16, handler="tests.support.shop.handlers:confirm_async"),
    agent("unordered", executor=Executor.THREADS, concurrency=4, order=Order.UNORDERED, retry=ASIDE),
    agent("counting", **EXACT),
    agent("ledger", handler="tests.support.shop.handlers:ledger", concurrency=4, deadline_s=30.0),
)
