"""The catalogue of the series: a topic for each number of partitions, event size and number of keys, and agents that count."""

from consumers.runtime.agent import Agent, Executor
from schemas.topics import Topic

PARTITIONS = (1, 4, 16, 64)
SIZES_BYTES = (100, 1_000, 10_000, 100_000)
KEYS = (1, 100, 1_000_000)
AGENTS_AT_ONCE = (1, 2, 4, 8)
BACKLOG = "scale.backlog"
SHARED = "scale.shared"
"""What several workers share: a topic of as many partitions as the middle one above, and of more events."""


def _topic(name: str, partitions: int = 4) -> Topic:
    return Topic(name=name, record="headrace.ActivityRecorded", key_field="user_id", partitions=partitions)


def _agent(name: str, topic: str, executor: Executor = Executor.INLINE, concurrency: int = 1) -> Agent:
    return Agent(
        name=name, topics=(topic,), handler="bench.handlers:count", executor=executor, concurrency=concurrency,
        deadline_s=None if executor is Executor.INLINE else 60.0,
    )  # fmt: skip


TOPICS = (
    *(_topic(f"scale.partitions-{number}", number) for number in PARTITIONS),
    *(_topic(f"scale.size-{size}") for size in SIZES_BYTES),
    *(_topic(f"scale.keys-{number}") for number in KEYS),
    _topic(BACKLOG),
    _topic(SHARED, 16),
)
AGENTS = (
    *(_agent(f"partitions-{number}", f"scale.partitions-{number}") for number in PARTITIONS),
    *(_agent(f"size-{size}", f"scale.size-{size}") for size in SIZES_BYTES),
    *(_agent(f"keys-{number}", f"scale.keys-{number}", Executor.THREADS, 8) for number in KEYS),
    *(_agent(f"several-{number}", "scale.partitions-4") for number in range(1, max(AGENTS_AT_ONCE) + 1)),
    _agent("backlog-deep", BACKLOG),
    _agent("sharing", SHARED),
)
