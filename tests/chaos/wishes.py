"""What a task may wish of its handler, and whether an agent can ever fulfil it."""

import asyncio
import ctypes
import os
import resource
import time
from pathlib import Path

from tests.chaos.agents import DEADLINE_S

_ONLY_OF = {"busy": "children", "abort": "children", "null": "children", "memory": "children", "block": "coroutines"}
"""Wishes that only one agent obeys: what would end, or block, a whole worker is for a handler in a process of its own."""
_HANGS_S = DEADLINE_S * 1.5
"""Past the deadline, yet not for ever: the thread comes back, and must not count."""
_BOMB_BYTES = 1 << 30
_ROOM_BYTES = 256 << 20


class PermanentError(Exception):
    """Raised when the task wished for a failure that no retry can heal."""


class TransientError(Exception):
    """Raised when the task wished for a failure that passes."""


def is_poison(wish: str, agent: str) -> bool:
    """Whether the agent must dead-letter such a task, however often it tries."""
    name, _, detail = wish.partition(":")
    if agent == "rows" or _ONLY_OF.get(name, agent) != agent:
        return False
    return name in {"permanent", "abort", "null", "memory", "oversize"} or detail == "always"


def obey(wish: str, *, agent: str, attempt: int) -> None:
    """Fail, hang, break or do nothing, as the task wishes."""
    name, _, detail = wish.partition(":")
    _fail(name, detail, attempt=attempt)
    if name == "slow":
        time.sleep(float(detail))
    if name == "hang" and (detail == "always" or attempt == 1):
        time.sleep(_HANGS_S)
    if _ONLY_OF.get(name) == agent == "children":
        _break(name, hangs=detail == "always" or attempt == 1)


async def obey_in_loop(wish: str, *, attempt: int) -> None:
    """The same in a coroutine, which awaits what never comes, or blocks its loop."""
    name, _, detail = wish.partition(":")
    _fail(name, detail, attempt=attempt)
    if name == "slow":
        await asyncio.sleep(float(detail))
    if name == "hang" and (detail == "always" or attempt == 1):
        await asyncio.Event().wait()
    if name == "block" and (detail == "always" or attempt == 1):
        time.sleep(_HANGS_S)


def _fail(name: str, detail: str, *, attempt: int) -> None:
    if name == "permanent":
        raise PermanentError("as the task wished")
    if name == "transient" and attempt < int(detail):
        raise TransientError(f"attempt {attempt} of {detail}")


def _break(name: str, *, hangs: bool) -> None:
    if name == "busy" and hangs:
        while True:
            pass
    if name == "abort":
        os.abort()
    if name == "null":
        ctypes.string_at(0)
    if name == "memory":
        _explode()


def _explode() -> None:
    """Take memory without end, below a limit of this process's own: the machine is shared."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _ROOM_BYTES, hard))
    try:
        bytearray(_BOMB_BYTES)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
