"""Real worker processes: `faust -A streams worker`, started, watched, killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_BIN = Path(sys.executable).parent
_SHOWN_CHARACTERS = 20_000


def environment(settings, **more):
    """The environment of a process under these settings."""
    own = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "HEADRACE_PREFIX": settings.prefix,
        "HEADRACE_CATALOGUE": settings.catalogue,
        "HEADRACE_STORE_URL": settings.store_url,
        "HEADRACE_DATABASE_URL": settings.database_url,
        "HEADRACE_GROUP_SESSION_TIMEOUT_MS": str(settings.group_session_timeout_ms),
        "HEADRACE_GROUP_PROTOCOL": settings.group_protocol,
        "SCHEMA_REGISTRY_URL": settings.registry_url or "",
        "PYTHONPATH": str(ROOT),
    }
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "HEADRACE_", "SCHEMA_"))
    }
    return {**inherited, **own, **{name: str(value) for name, value in more.items()}}


class Worker:
    """One worker process; its log is a file, so that a test can wait for a line of it.

    `within` may put the command into another namespace, such as a small disk's.
    """

    def __init__(self, settings, log: Path, *options: str, cwd=None, within=list, **environ):
        self.log = log
        self._file = log.open("ab")
        command = [str(_BIN / "faust"), "-A", "streams", "worker", *options]
        self.process = subprocess.Popen(
            within(command),
            env=environment(settings, **environ),
            cwd=cwd or ROOT,
            stdout=self._file,
            stderr=subprocess.STDOUT,
        )

    def await_line(self, words: str, limit_s: float = 60.0) -> str:
        """The first line of the log with these words."""
        until_s = time.monotonic() + limit_s
        while time.monotonic() < until_s:
            found = [line for line in self.text().splitlines() if words in line]
            if found:
                return found[0]
            if self.process.poll() is not None and words not in self.text():
                break
            time.sleep(0.05)
        pytest.fail(f"no line with {words!r}; exit code {self.process.poll()}; the log:\n{self.text()[-3000:]}")

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL, and reap."""
        self.process.kill()
        self.process.wait(30)

    def terminate(self, limit_s: float = 40.0) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(limit_s)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._file.close()


@pytest.fixture
def start_worker(tmp_path):
    """Starts workers under the test's settings; whatever still runs at the end is killed. A test that fails shows their logs."""
    started: list[Worker] = []

    def start(settings, *options, **environ) -> Worker:
        started.append(Worker(settings, tmp_path / f"worker{len(started)}.log", *options, **environ))
        return started[-1]

    yield start
    for worker in started:
        worker.close()
        print(
            f"--- the end of {worker.log.name} ---", worker.text()[-_SHOWN_CHARACTERS:], sep="\n"
        )  # pytest shows it then
