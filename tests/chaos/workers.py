"""The crew: real worker processes, started, watched, attacked; every one of them is ended by its pid."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from schemas.settings import Settings
from tests.support.workers import ROOT, environment

_BIN = Path(sys.executable).parent
LEAVE_WITHIN_S = 30.0


@dataclass(slots=True, eq=False)
class Worker:
    """One worker process.

    Attributes:
        log: what it prints.
        leaving: whether it has been told, or made, to end: any other end is a crash.
    """

    process: subprocess.Popen[bytes]
    log: Path
    leaving: bool = False
    was_ready: bool = False
    _ready: bool = False

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_ready(self) -> bool:
        """Whether its groups have answered; its log says so once."""
        if not self._ready and self.log.exists():
            self._ready = b" ready after_s=" in self.log.read_bytes()
        return self._ready and self.process.poll() is None

    def children(self) -> list[psutil.Process]:
        """Its own child processes, which must not outlive it."""
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.Error:
            return []


@dataclass(frozen=True, slots=True)
class Leave:
    """How a worker left after SIGTERM: its exit code (None when it had to be killed) and the seconds it took.

    One that was not ready yet has no handler for the signal: it holds nothing, and ends as any program does.
    """

    pid: int
    code: int | None
    took_s: float
    was_ready: bool


@dataclass(frozen=True, slots=True)
class Crash:
    """A worker that ended though nobody ended it."""

    pid: int
    code: int
    log_end: str


@dataclass(slots=True)
class Crew:
    """All workers of a run.

    Attributes:
        within: puts a worker's command into the namespace of the small disk.
        leaves: every SIGTERM and what came of it.
        crashes: every end that nobody asked for.
        logs: of every worker that there was, by pid.
        orphans: child processes that outlived their killed parent for two seconds.
    """

    settings: Settings
    agents: tuple[str, ...]
    folder: Path
    environ: dict[str, str]
    mutation: str | None
    within: Callable[[list[str]], list[str]]
    workers: list[Worker] = field(default_factory=list)
    leaves: list[Leave] = field(default_factory=list)
    crashes: list[Crash] = field(default_factory=list)
    logs: dict[int, Path] = field(default_factory=dict)
    orphans: int = 0
    _started: int = 0

    def start(self, *more: str) -> Worker:
        """One more worker, with more options; `is_ready` says when it works."""
        self._started += 1
        log = self.folder / f"worker{self._started}.log"
        environ = {**self.environ, **({"CHAOS_MUTATION": self.mutation} if self.mutation else {})}
        program = [sys.executable, "-m", "tests.chaos.worker"] if self.mutation else [str(_BIN / "faust")]
        options = ["-A", "streams", "worker", "--agents", ",".join(self.agents), *more]
        with log.open("ab") as file:
            process = subprocess.Popen(
                self.within([*program, *options]),
                env=environment(self.settings, **environ),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is the harness's: it ends its workers itself
            )
        self.workers.append(Worker(process, log))
        self.logs[process.pid] = log
        return self.workers[-1]

    def tend(self) -> None:
        """Note whoever ended by himself, and put another in his place."""
        for worker in [w for w in self.workers if not w.leaving and w.process.poll() is not None]:
            self.workers.remove(worker)
            end = worker.log.read_text(errors="replace")[-2_000:]
            self.crashes.append(Crash(worker.pid, worker.process.returncode, end))
            self.start()

    @property
    def ready(self) -> list[Worker]:
        """Those that work."""
        return [worker for worker in self.workers if worker.is_ready and not worker.leaving]

    def kill(self, worker: Worker) -> tuple[int, list[psutil.Process]]:
        """SIGKILL, as a crash of the machine's memory would; when that was, in ns since the epoch, and the children that it had.

        It works no more from then on, and its end may take the kernel half a second, on a busy machine.
        """
        children = worker.children()
        worker.leaving = True
        worker.process.kill()
        killed_ns = time.time_ns()
        worker.process.wait(30)
        self.workers.remove(worker)
        return killed_ns, children

    def await_orphans(self, children: list[psutil.Process]) -> None:
        """Children of a worker that was killed are given two seconds to notice."""
        _, left = psutil.wait_procs(children, timeout=2.0)
        alive = [child for child in left if not _is_dead(child)]
        self.orphans += len(alive)
        for orphan in alive:
            with suppress(psutil.Error):
                orphan.kill()

    def tell_to_leave(self, worker: Worker) -> None:
        """SIGTERM."""
        worker.leaving, worker.was_ready = True, worker.is_ready
        worker.process.send_signal(signal.SIGTERM)

    def await_leave(self, worker: Worker, *, since_s: float) -> Leave:
        """Wait for its end, and note how it went."""
        try:
            code: int | None = worker.process.wait(max(0.1, LEAVE_WITHIN_S + since_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            code = None
        leave = Leave(worker.pid, code, round(time.monotonic() - since_s, 2), worker.was_ready)
        self.leaves.append(leave)
        if code is None:
            self.kill(worker)
        else:
            self.workers.remove(worker)
        return leave

    def dismiss(self) -> None:
        """SIGTERM to all at once."""
        self.tend()
        since_s, leaving = time.monotonic(), list(self.workers)
        for worker in leaving:
            self.tell_to_leave(worker)
        for worker in leaving:
            self.await_leave(worker, since_s=since_s)

    def close(self) -> None:
        """End whatever still runs, also what is stopped."""
        for worker in list(self.workers):
            with suppress(ProcessLookupError, psutil.Error):
                os.kill(worker.pid, signal.SIGCONT)
            with suppress(psutil.Error, subprocess.TimeoutExpired):
                self.kill(worker)


def _is_dead(process: psutil.Process) -> bool:
    """Whether it has ended, though whoever inherited it has not reaped it: that is no orphan at work."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
