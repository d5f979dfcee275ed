"""What a task may wish of its handler, and whether an agent can ever fulfil it."""

import ctypes
import os
import resource
import time
from pathlib import Path

from tests.chaos.agents import DEADLINE_S

_OF_CHILDREN = frozenset({"busy", "abort", "null", "memory"})
"""Wishes that would end, or block, a whole worker: only an agent whose handler runs in a process of its own obeys."""
_BOMB_BYTES = 1 << 30
_ROOM_BYTES = 256 << 20


class PermanentError(Exception):
    """Raised when the task wished for a failure that no retry can heal."""


class TransientError(Exception):
    """Raised when the task wished for a failure that passes."""


def is_poison(wish: str, agent: str) -> bool:
    """Whether the agent must dead-letter such a task, however often it tries."""
    name, _, detail = wish.partition(":")
    if agent == "rows" or (name in _OF_CHILDREN and agent != "children"):
        return False
    return name in {"permanent", "abort", "null", "memory", "oversize"} or detail == "always"


def obey(wish: str, *, attempt: int, in_child: bool) -> None:
    """Fail, hang, break or do nothing, as the task wishes."""
    name, _, detail = wish.partition(":")
    if name == "permanent":
        raise PermanentError("as the task wished")
    if name == "transient" and attempt < int(detail):
        raise TransientError(f"attempt {attempt} of {detail}")
    if name == "slow":
        time.sleep(float(detail))
    if name == "hang" and (detail == "always" or attempt == 1):
        time.sleep(DEADLINE_S * 1.5)  # past the deadline, yet not for ever: the thread comes back, and must not count
    if in_child and name in _OF_CHILDREN:
        _break(name, always=detail == "always", attempt=attempt)


def _break(name: str, *, always: bool, attempt: int) -> None:
    if name == "busy" and (always or attempt == 1):
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
