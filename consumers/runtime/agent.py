"""What the catalogue may say of an agent: frozen, checked at start."""

import re
from enum import Enum
from typing import Literal

import msgspec

_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")
_HANDLER = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class Executor(Enum):
    """Where a handler runs."""

    INLINE = "inline"
    """In the agent's own thread: the cheapest, for handlers of microseconds that cannot hang; has no deadline."""
    THREADS = "threads"
    """In threads of this process: for handlers that wait, or that work in C code which releases the GIL."""
    PROCESSES = "processes"
    """In child processes, killed at the deadline: for Python-heavy or untrusted work."""
    ASYNCIO = "asyncio"
    """As coroutines on an event loop of the agent's own: for handlers that wait on the network."""


class Order(Enum):
    """In which order the records of a partition are handled."""

    BY_KEY = "by-key"
    """Records with the same key one after another, through retries too; different keys in parallel."""
    UNORDERED = "unordered"
    """Any record as soon as a place is free."""


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how fast a failed record is tried again.

    Attributes:
        attempts: in all, the first included; after the last the record is dead-lettered.
        first_delay_s: seconds before the second attempt; each later delay is twice the one before.
        max_delay_s: the longest delay in seconds.
        jitter: the part of a delay that is random: 0.5 draws between half the delay and all of it.
        permanent: names of exception classes (or of their bases) that no retry can heal: dead-lettered at once.
        topic_delays_s: of an unordered agent, the delays of its retry topics in whole seconds, rising: a record waits there,
            outside its partition, and holds no commit back.
    """

    attempts: int = 5
    first_delay_s: float = 0.2
    max_delay_s: float = 30.0
    jitter: float = 0.5
    permanent: tuple[str, ...] = ()
    topic_delays_s: tuple[int, ...] = (5, 60, 600)


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """One agent: a consumer group of its own, from its topics through a handler to an output.

    Attributes:
        name: of the agent and its group: lower-case letters, digits, hyphens.
        topics: names in the catalogue of topics, without the prefix.
        handler: "package.module:function", imported when the agent starts.
        output: the topic of its results, or None where it returns none.
        executor: where the handler runs.
        concurrency: how many records are handled at once; the number of lanes of each partition.
        order: in which order.
        deadline_s: seconds that one record, or one batch, may take; None for no limit.
        memory_mb: of an agent in processes, how much address space a child may take, in MiB (RLIMIT_AS): what needs more fails
            with a MemoryError, alone, instead of taking the machine along; None for no limit.
        retry: what happens after a failure.
        dependencies: by the name of an exception class (or of its base), the dependency that is down when it is raised: as if
            the handler had raised `Unavailable`.
        batch_records: for a batch handler, the most records of one call; None for a handler of single events.
        fields: of a batch handler, the fields of the record that it looks at, which are then all that is decoded; None for all
            of them, () for a handler that looks at offsets, times and headers only.
        exact: True for a batch handler whose rows stand in one database transaction with its offsets.
        tick: for an exact agent, "package.module:function", called about once a second to do what time brings.
        start: where a new group begins: "earliest" or "latest".
        reset: what a commit that no longer fits its log leads to: "stop", "earliest" or "latest".
        drain_s: seconds that a revoked partition may take to finish what runs.
        max_in_flight: the most records taken and not finished, per agent.
        tombstones: whether the handler wants records with a null value.
    """

    name: str
    topics: tuple[str, ...]
    handler: str
    output: str | None = None
    executor: Executor = Executor.THREADS
    concurrency: int = 1
    order: Order = Order.BY_KEY
    deadline_s: float | None = 60.0
    memory_mb: int | None = None
    retry: RetryPolicy = RetryPolicy()
    dependencies: dict[str, str] = {}
    batch_records: int | None = None
    fields: tuple[str, ...] | None = None
    exact: bool = False
    tick: str | None = None
    start: Literal["earliest", "latest"] = "earliest"
    reset: Literal["stop", "earliest", "latest"] = "stop"
    drain_s: float = 0.8
    max_in_flight: int = 20_000
    tombstones: bool = False

    @property
    def retry_delays_s(self) -> tuple[int, ...]:
        """Delays of the agent's retry topics, rising. An ordered agent retries in its lanes, and has one for redrive alone."""
        return self.retry.topic_delays_s if self.order is Order.UNORDERED and not self.batch_records else (0,)

    def problems(self) -> list[str]:
        """Everything that is wrong with this agent, one sentence each; empty when it may start."""
        say = f"agent {self.name!r}: {{}}".format
        checks = {
            "its name is not of lower-case letters, digits and hyphens": not _NAME.fullmatch(self.name),
            "it has no topic": not self.topics,
            f"its handler {self.handler!r} is not of the form package.module:function": not _HANDLER.fullmatch(
                self.handler
            ),
            "its tick is not of the form package.module:function": bool(
                self.tick and not _HANDLER.fullmatch(self.tick)
            ),
            "concurrency must be at least 1": self.concurrency < 1,
            "retry.attempts must be at least 1": self.retry.attempts < 1,
            "retry.jitter must be from 0 to 1": not 0 <= self.retry.jitter <= 1,
            "retry.topic_delays_s must be whole seconds, rising, at least one": not self.retry.topic_delays_s
            or self.retry.topic_delays_s[0] < 0
            or list(self.retry.topic_delays_s) != sorted(set(self.retry.topic_delays_s)),
            "deadline_s must be above 0": self.deadline_s is not None and self.deadline_s <= 0,
            "max_in_flight must be at least 1": self.max_in_flight < 1,
            "exact and fields are for batch handlers: set batch_records": (self.exact or self.fields is not None)
            and not self.batch_records,
            "a batch handler runs in threads or inline": bool(self.batch_records)
            and self.executor not in {Executor.THREADS, Executor.INLINE},
            "memory_mb is for an agent in processes, and above 0": self.memory_mb is not None
            and (self.executor is not Executor.PROCESSES or self.memory_mb < 1),
            "tick is for exact agents": bool(self.tick) and not self.exact,
        }
        return [say(problem) for problem, wrong in checks.items() if wrong]
