"""The harness's catalogue. What a run may choose is read from the environment, because the workers import this module."""

import os
from pathlib import Path
from typing import Any

import msgspec

from consumers.runtime.agent import Agent, Executor, Order, RetryPolicy
from schemas.topics import Topic
from tests.chaos.records import Task, TaskDone

SCHEMAS = Path(__file__).parent / "schemas"

TASKS, DONE = "chaos.tasks", "chaos.done"
RESULT_BYTES = 128 * 1024
"""The result topic takes no more: what the fault "oversize" makes must be refused by the broker, not by a codec."""

PARTITIONS = int(os.environ.get("CHAOS_PARTITIONS", "8"))
DEADLINE_S = float(os.environ.get("CHAOS_DEADLINE_S", "4"))
MAX_IN_FLIGHT = int(os.environ.get("CHAOS_MAX_IN_FLIGHT", "2000"))
RESET = os.environ.get("CHAOS_RESET", "stop")
STORES = bool(os.environ.get("CHAOS_STORES"))
MENDED = bool(os.environ.get("CHAOS_MENDED"))

_PERMANENT = ("PermanentError",)
QUICK = RetryPolicy(attempts=5, first_delay_s=0.05, max_delay_s=0.5, permanent=_PERMANENT)
BRIEF = RetryPolicy(attempts=3, first_delay_s=0.05, max_delay_s=0.2, permanent=_PERMANENT)
ASIDE = RetryPolicy(attempts=5, first_delay_s=0.5, max_delay_s=4.0, topic_delays_s=(1, 3), permanent=_PERMANENT)

TOPICS = (
    Topic(
        name=TASKS,
        record=Task.__schema_name__,
        partitions=PARTITIONS,
        key_field="task_key",
        config={"message.timestamp.type": "LogAppendTime"},
    ),
    Topic(
        name=DONE,
        record=TaskDone.__schema_name__,
        config={"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(RESULT_BYTES)},
    ),
)


def _of_tasks(name: str, handler: str, executor: Executor, **given: Any) -> Agent:
    """An agent that handles each task by itself."""
    return Agent(
        name=name,
        topics=(TASKS,),
        output=DONE,
        handler=f"tests.chaos.handlers:{handler}",
        executor=executor,
        deadline_s=DEADLINE_S,
        reset=RESET,  # type: ignore[arg-type]
        max_in_flight=MAX_IN_FLIGHT,
        **given,
    )


_AS_THEY_WERE = (
    _of_tasks("tasks", "work", Executor.THREADS, concurrency=16, retry=QUICK),
    _of_tasks("children", "work_alone", Executor.PROCESSES, concurrency=2, retry=BRIEF),
    _of_tasks("coroutines", "await_work", Executor.ASYNCIO, concurrency=16, retry=BRIEF),
    _of_tasks("loose", "work", Executor.THREADS, concurrency=16, order=Order.UNORDERED, retry=ASIDE),
    Agent(
        name="rows",
        topics=(TASKS,),
        handler="tests.chaos.rows:write",
        batch_records=500,
        exact=True,
        deadline_s=30.0,
        retry=QUICK,
        reset=RESET,  # type: ignore[arg-type]
        max_in_flight=MAX_IN_FLIGHT,
    ),
)
"""`tasks` promises at least once in order of keys, `children` and `coroutines` the same elsewhere, `loose` without the order, by
way of retry topics, `rows` exactly once."""

RETRY_DELAYS_S = {agent.name: agent.retry_delays_s for agent in _AS_THEY_WERE}
"""Those of each agent's retry topics; to the first one a redrive sends."""
UNORDERED = frozenset(agent.name for agent in _AS_THEY_WERE if agent.order is Order.UNORDERED)


def mended(agent: Agent) -> Agent:
    """The agent after its developer has mended it: its handler looks at headers alone, so that no record is poison to it."""
    module = "rows" if agent.exact else "handlers"
    handler, executor = f"tests.chaos.{module}:take", Executor.THREADS
    return msgspec.structs.replace(
        agent, handler=handler, executor=executor, concurrency=1, batch_records=50, fields=(), deadline_s=30.0
    )


AGENTS = tuple(map(mended, _AS_THEY_WERE)) if MENDED else _AS_THEY_WERE
