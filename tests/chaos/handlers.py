"""The handlers under attack: each checks its payload, works a little, and notes in the ledger that it did."""

import asyncio
import hashlib
import os
import random
import time

from consumers.batch import Batch
from consumers.context import Context
from tests.chaos.agents import STORES
from tests.chaos.headers import number_of
from tests.chaos.ledger import Handling, note
from tests.chaos.records import Task, TaskDone
from tests.chaos.wishes import obey, obey_in_loop

_OVERSIZE_BYTES = 400_000
_SHARE_OF_CHILDREN = 0.1
"""Two children are no sixteen threads: they work a tenth as long, so that they keep up."""


def object_of(number: object) -> str:
    """Where in the object store a task's payload lies."""
    return f"tasks/{number}"


def work(task: Task, context: Context) -> TaskDone:
    """In a thread of the worker; where the run says so, what the task carries goes into the object store first."""
    if STORES:
        context.store.put(object_of(task.number), task.payload)
    return _worked(task, context, work_s=task.work_ms / 1000)


def work_alone(task: Task, context: Context) -> TaskDone:
    """In a process of its own, so that it also obeys what would end a worker."""
    return _worked(task, context, work_s=task.work_ms / 1000 * _SHARE_OF_CHILDREN)


async def await_work(task: Task, context: Context) -> TaskDone:
    """On the event loop."""
    started_ns = time.time_ns()
    await obey_in_loop(task.wish, attempt=context.attempt)
    await asyncio.sleep(task.work_ms / 1000)
    return _done(task, context, started_ns)


def _worked(task: Task, context: Context, *, work_s: float) -> TaskDone:
    started_ns = time.time_ns()
    obey(task.wish, agent=context.agent, attempt=context.attempt)
    time.sleep(work_s)
    return _done(task, context, started_ns)


def _done(task: Task, context: Context, started_ns: int) -> TaskDone:
    digest = hashlib.sha256(task.payload).hexdigest()
    origin, intact = context.origin, digest == task.digest
    handling = Handling(
        task.number, task.task_key, task.sequence, context.attempt, os.getpid(), origin.partition, origin.offset,
        started_ns, time.time_ns(), intact,
    )  # fmt: skip
    note(context.agent, handling)
    return TaskDone(number=task.number, digest=digest, padding=_padding(task.wish))


def take(records: Batch, context: Context) -> None:
    """After the mending: whatever comes is handled, for its headers say what it is."""
    at_ns = time.time_ns()
    for offset, headers in zip(records.offsets, records.headers, strict=True):
        handling = Handling(
            number_of(headers), "-", -1, context.attempt, os.getpid(), records.partition, offset, at_ns, at_ns,
            intact=True,
        )  # fmt: skip
        note(context.agent, handling)


def _padding(wish: str) -> str:
    """Random, since a batch is compressed before the broker measures it."""
    return random.Random(1).randbytes(_OVERSIZE_BYTES // 2).hex() if wish == "oversize" else ""
