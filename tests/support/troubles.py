"""A catalogue of agents in trouble, over the shop's topics and records."""

from consumers.runtime.agent import Executor, RetryPolicy
from tests.support.shop import agents as shop

SCHEMAS, TOPICS = shop.SCHEMAS, shop.TOPICS

AGENTS = (
    shop.agent("patient", concurrency=2, deadline_s=3600.0),
    shop.agent("inline", executor=Executor.INLINE, deadline_s=None),
    shop.agent("hasty", concurrency=4, deadline_s=0.3, retry=RetryPolicy(attempts=2, first_delay_s=0.05)),
    shop.agent("confined", executor=Executor.PROCESSES, concurrency=2, memory_mb=3_000),
    shop.agent("childless", executor=Executor.PROCESSES, handler="tests.support.unimportable:confirm"),
    shop.agent("handlerless", handler="tests.support.shop.handlers:no_such_function"),
    shop.agent("resigned", reset="earliest"),
    shop.agent("batchless", batch_records=100, handler="tests.support.shop.counting:no_such_function"),
    shop.agent("exactless", **{**shop.EXACT, "handler": "tests.support.shop.counting:no_such_function"}),
    shop.agent(
        "fieldless", batch_records=100, fields=("order_id", "colour"), handler="tests.support.shop.counting:count"
    ),
    shop.agent("answering", output=None),
    shop.agent("answering-batch", output=None, batch_records=100, handler="tests.support.shop.handlers:confirm_all"),
    shop.agent("answering-exact", **{**shop.EXACT, "handler": "tests.support.shop.handlers:confirm_all"}),
    shop.agent("fragile", executor=Executor.PROCESSES, handler="tests.support.fragile:confirm"),
    shop.agent("deadly", executor=Executor.PROCESSES, handler="tests.support.deadly:confirm"),
    shop.agent("brittle", handler="tests.support.fragile:confirm"),
    shop.agent("seized", **{**shop.EXACT, "handler": "tests.support.shop.counting:count_after_a_hang"}),
)
