"""A server as a process of its own, that outlives the command that started it and is never mistaken for another."""

import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from devstack.java import java_environment

if sys.platform == "win32":
    raise ImportError("devstack needs Linux or macOS; on Windows use WSL, or docker compose up")

_children: set[int] = set()


@dataclass(frozen=True, slots=True)
class Process:
    """A server's process.

    Attributes:
        pid: its number, which the system gives to another process some time after this one has ended.
        token: a random word on its command line, by which it is known for certain: a stale pid hurts nobody.
    """

    pid: int
    token: str

    def is_alive(self) -> bool:
        """Whether it runs, and is ours."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            return process.status() != psutil.STATUS_ZOMBIE and _marker(self.token) in process.cmdline()
        except psutil.Error:
            return False

    def usage(self) -> tuple[float, int]:
        """For how many seconds it has run, and its resident memory in bytes; zeros when it has just ended."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            return time.time() - process.create_time(), process.memory_info().rss
        except psutil.Error:
            return 0.0, 0

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.is_alive():
            with suppress(ProcessLookupError):  # it has ended since
                os.kill(self.pid, number)

    def has_ended(self, *, within_s: float) -> bool:
        """Wait for its end; whether it has ended in that time."""
        deadline = time.monotonic() + within_s
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        _reap(self.pid)
        return True

    def stop(self, *, patience_s: float = 20.0) -> None:
        """SIGTERM, wait, and SIGKILL when the patience is over."""
        self.signal(signal.SIGTERM)
        if not self.has_ended(within_s=patience_s):
            self.kill()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.has_ended(within_s=10)


def spawn_java(java: Path, arguments: Sequence[str], *, log: Path, pid_file: Path) -> Process:
    """Start a Java server in a session of its own, its output appended to `log`, and note it in `pid_file`."""
    token = secrets.token_hex(8)
    command = [str(java), _marker(token), *arguments]
    # posix_spawn and not subprocess.Popen: the server is meant to outlive us, which a Popen object complains about.
    pid = os.posix_spawn(
        command[0],
        command,
        java_environment(),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGINT, signal.SIGTERM],
    )
    _children.add(pid)
    process = Process(pid, token)
    _wait_for_its_command_line(process)
    pid_file.write_text(json.dumps(asdict(process)), encoding="utf-8")
    return process


def noted(pid_file: Path) -> Process | None:
    """The process that a pid file names, if it still runs; a missing, broken or stale file names none."""
    try:
        process = Process(**json.loads(pid_file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return process if process.is_alive() else None


def _wait_for_its_command_line(process: Process) -> None:
    """Wait until the child shows its command line, or has ended.

    The kernel lets the parent of a vfork go on an instant before: a new server was seen as dead on a busy machine,
    and the child still held our lock.
    """
    import psutil

    deadline = time.monotonic() + 10
    while not process.is_alive() and time.monotonic() < deadline:
        if psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.001)


def _reap(pid: int) -> None:
    """Take the exit status of a server that this very process started, so that no zombie stays."""
    if pid in _children:
        os.waitpid(pid, 0)
        _children.discard(pid)


def _marker(token: str) -> str:
    return f"-Dheadrace.devstack={token}"
