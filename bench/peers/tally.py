"""What is handled, counted by kind and written down as time goes on, for the bench to read.

A handler says `mine.counts[kind] += 1`, some 0.1 us. A thread of each process appends the sums to a file of the process, with
the time at which it read them, a hundred times a second, and once more as Python ends (not where a process is killed, or a fork
leaves by `os._exit`): from the first and the last of these lines comes the rate.

This file runs in the peers' own environments too, so it imports the standard library alone.
"""

import atexit
import os
import struct
import threading
import time
from pathlib import Path

KINDS = ("view", "click", "search", "purchase", "image", "text")
LINE = struct.Struct(f"<{1 + len(KINDS)}q")
"""Nanoseconds of the machine's monotonic clock, then the events handled so far, by kind."""
INTERVAL_S = 0.01


class _Mine(threading.local):
    """The thread's own counts, so that no two threads add to the same number; they begin at a thread's first use."""

    counts: dict[str, int]

    def __getattr__(self, name: str) -> dict[str, int]:
        if name != "counts":
            raise AttributeError(name)
        self.counts = dict.fromkeys(KINDS, 0)
        _Writer.of_this_process().add(self.counts)
        return self.counts


class _Writer:
    """A process's thread that writes down what its other threads have counted."""

    _here: "_Writer | None" = None
    _making = threading.Lock()

    @classmethod
    def of_this_process(cls) -> "_Writer":
        with cls._making:
            cls._here = cls._here or cls()
            return cls._here

    @classmethod
    def start_anew(cls) -> None:
        """After a fork: the parent's thread is not here, and what it counted is its own."""
        cls._here, cls._making = None, threading.Lock()
        mine.__dict__.clear()  # to threading.local, the child's thread is the one that forked

    def __init__(self) -> None:
        self._counted: list[dict[str, int]] = []
        self._written = [0] * len(KINDS)
        self._writing = threading.Lock()
        self._process = os.getpid()
        self._file = (Path(os.environ["BENCH_TALLY"]) / str(self._process)).open("ab", buffering=0)
        threading.Thread(target=self._run, name="tally", daemon=True).start()
        atexit.register(self._write)

    def add(self, counts: dict[str, int]) -> None:
        """Count a thread's counts too."""
        self._counted.append(counts)

    def _run(self) -> None:
        while True:
            self._write()
            time.sleep(INTERVAL_S)

    def _write(self) -> None:
        if os.getpid() != self._process:  # a fork's end is none of its parent's
            return
        with self._writing:
            sums = [sum(counts[kind] for counts in self._counted) for kind in KINDS]
            if sums != self._written:
                self._file.write(LINE.pack(time.monotonic_ns(), *sums))
                self._written = sums


mine = _Mine()
os.register_at_fork(after_in_child=_Writer.start_anew)
