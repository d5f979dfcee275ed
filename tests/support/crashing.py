"""A catalogue of agents whose handlers run in the worker's own process, and may end it."""

from consumers.runtime.agent import Executor, Order, RetryPolicy
from tests.support.shop import agents as shop

SCHEMAS, TOPICS = shop.SCHEMAS, shop.TOPICS
LEDGER = "tests.support.shop.handlers:ledger"

AGENTS = (
    shop.agent("in-threads", handler=LEDGER, concurrency=4, deadline_s=30.0),
    shop.agent("inline", handler=LEDGER, executor=Executor.INLINE),
    shop.agent(
        "asyncio", handler="tests.support.shop.handlers:ledger_async", executor=Executor.ASYNCIO, concurrency=16
    ),
    shop.agent("unordered", handler=LEDGER, concurrency=4, order=Order.UNORDERED, retry=shop.ASIDE),
    shop.agent("of-many", handler="tests.support.shop.handlers:ledger_of_many", batch_records=50),
    shop.agent("counting", **shop.EXACT),
    shop.agent("tenacious", retry=RetryPolicy(attempts=100, first_delay_s=1.0, max_delay_s=1.0)),
)
