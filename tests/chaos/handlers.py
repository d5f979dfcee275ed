"""The handlers under attack: each checks its payload, works a little, and notes in the ledger that it did."""

import hashlib
import random
import time

from consumers.context import Context
from tests.chaos.ledger import note
from tests.chaos.records import Task, TaskDone
from tests.chaos.wishes import obey

_OVERSIZE_BYTES = 400_000
_SHARE_OF_CHILDREN = 0.1
"""Two children are no sixteen threads: they work a tenth as long, so that they keep up."""


def work(task: Task, context: Context) -> TaskDone:
    """In a thread of the worker."""
    return _worked(task, context, work_s=task.work_ms / 1000, in_child=False)


def work_alone(task: Task, context: Context) -> TaskDone:
    """In a process of its own, so that it also obeys what would end a worker."""
    return _worked(task, context, work_s=task.work_ms / 1000 * _SHARE_OF_CHILDREN, in_child=True)


def _worked(task: Task, context: Context, *, work_s: float, in_child: bool) -> TaskDone:
    started_ns = time.time_ns()
    obey(task.wish, attempt=context.attempt, in_child=in_child)
    time.sleep(work_s)
    digest = hashlib.sha256(task.payload).hexdigest()
    note(task, context, started_ns=started_ns, intact=digest == task.digest)
    return TaskDone(number=task.number, digest=digest, padding=_padding(task.wish))


def _padding(wish: str) -> str:
    """Random, since a batch is compressed before the broker measures it."""
    return random.Random(1).randbytes(_OVERSIZE_BYTES // 2).hex() if wish == "oversize" else ""
