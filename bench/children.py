"""Processes that a run starts, each in a session of its own, so that it ends with all its children and nobody else's."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

STOP_LIMIT_S = 15.0


class Child:
    """One process group; its output is appended to a log."""

    def __init__(self, command: Sequence[str], *, env: dict[str, str], cwd: Path, log: Path) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        self.log = log

    @property
    def pid(self) -> int:
        """Of its first process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether its first process has ended."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """SIGKILL for the process and its children at once, as when a container dies, and wait."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM to the first process, whose business its children are; SIGKILL to whatever is left."""
        if not self.has_ended:
            self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_LIMIT_S)
        self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # the whole group has ended
            os.killpg(self._process.pid, number)


def environment(folder: Path, **own: str) -> dict[str, str]:
    """A small environment: nothing of the caller's Kafka or Headrace settings reaches a contestant."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    return {**kept, "HOME": str(folder), "PYTHONUNBUFFERED": "1", **own}


def tail(log: Path, lines: int = 3) -> str:
    """The end of a log, for a message."""
    return " / ".join(log.read_text(errors="replace").split("\n")[-lines - 1 :]).strip() if log.exists() else ""
