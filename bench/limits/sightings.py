"""Which partition was worked on when: written by a handler, read by the bench."""

import os
import struct
import time
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import BinaryIO

_LINE = struct.Struct("<qq")
"""Partition, nanoseconds of the machine's monotonic clock."""
_PREFIX = "sightings."


def see(partition: int) -> None:
    """Write down that a record of this partition was handled now."""
    _file().write(_LINE.pack(partition, time.monotonic_ns()))


def read(folder: Path, pid: int) -> dict[int, list[int]]:
    """When a process worked on each partition, in nanoseconds, rising."""
    path = folder / f"{_PREFIX}{pid}"
    data = path.read_bytes() if path.exists() else b""
    seen: defaultdict[int, list[int]] = defaultdict(list)
    for partition, at_ns in _LINE.iter_unpack(data[: len(data) // _LINE.size * _LINE.size]):
        seen[partition].append(at_ns)
    return {partition: sorted(at) for partition, at in seen.items()}


@cache
def _file() -> BinaryIO:
    """Buffered, for its writers are many threads of a worker that is to be fast; what a kill leaves out is not asked for."""
    return (Path(os.environ["BENCH_FOLDER"]) / f"{_PREFIX}{os.getpid()}").open("ab")
