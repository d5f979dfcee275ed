"""The demo's steps, in order; whatever it started is stopped, however it ends."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import devstack
from consumers.store import open_store
from demo import inputs, outcome, page
from demo.progress import Progress
from schemas.catalogue import load_catalogue
from schemas.errors import HeadraceError
from schemas.provision import apply, plan
from schemas.settings import Settings

OUT = Path("out")
_STACK = Path(".devstack/demo")
_STOP_LIMIT_S = 40.0


class DemoError(HeadraceError):
    """Raised when the demo cannot show what it promises."""


class Show:
    """One run.

    The steps: 1. an empty out/, 2. Kafka (and registry), 3. topics, 4. the worker, 5. the input, 6. wait, 7. table and
    page, 8. stop.

    Args:
        registry: whether to run with a schema registry.
    """

    def __init__(self, *, registry: bool) -> None:
        self._registry = registry
        self._started_s = time.monotonic()

    def run(self) -> int:
        """Every step; 0 when the numbers are as they should be."""
        self._empty_out()  # 1
        with ExitStack() as cleanup:
            stack = cleanup.enter_context(self._kafka())  # 2
            settings = self._settings(stack)
            self._topics(settings)  # 3
            cleanup.enter_context(self._worker(settings))  # 4
            published = inputs.publish(settings, open_store(settings.store_url), say=self._say)  # 5
            with Progress(settings, worker_log=OUT / "worker.log", say=self._say) as progress:
                rows = progress.wait()  # 6
            made = outcome.read(settings)
            self._say(f"writing {OUT / 'demo.html'}")
            page.write(OUT / "demo.html", rows, made)  # 7
        outcome.print_table(rows)
        return self._verdict(outcome.faults(rows, published, made))  # 8 is done by now

    def _verdict(self, faults: list[str]) -> int:
        for fault in faults:
            self._say(f"not as it should be: {fault}")
        if not faults:
            self._say(f"done: open {OUT / 'demo.html'}")
        return int(bool(faults))

    @staticmethod
    def _empty_out() -> None:
        shutil.rmtree(OUT, ignore_errors=True)
        OUT.mkdir(parents=True)

    @contextmanager
    def _kafka(self) -> Iterator[devstack.Stack]:
        self._say("starting Kafka" + (" and a schema registry" if self._registry else ""))
        with devstack.up(registry=self._registry, port=0, data=_STACK, fresh=True) as stack:
            self._say(f"Kafka is up at {stack.bootstrap_servers}")
            yield stack
            self._say("stopping Kafka")

    @staticmethod
    def _settings(stack: devstack.Stack) -> Settings:
        return Settings(
            bootstrap_servers=stack.bootstrap_servers,
            registry_url=stack.registry_url,
            store_url=str((OUT / "objects").resolve()),
            database_url=f"sqlite:///{(OUT / 'headrace.db').resolve()}",
        )

    def _topics(self, settings: Settings) -> None:
        catalogue = load_catalogue(settings.catalogue)
        steps = plan(settings, catalogue, agents=catalogue.agents)
        apply(settings, steps)
        self._say(f"created {sum(step.kind == 'topic' for step in steps)} topics")

    @contextmanager
    def _worker(self, settings: Settings) -> Iterator[None]:
        """`faust -A streams worker`, as a process of its own; its log is out/worker.log."""
        command = [str(Path(sys.executable).parent / "faust"), "-A", "streams", "worker"]
        self._say("starting the worker: faust -A streams worker")
        with (OUT / "worker.log").open("wb") as log:
            process = subprocess.Popen(command, env=_environment(settings), stdout=log, stderr=subprocess.STDOUT)
            try:
                yield
            finally:
                self._say("stopping the worker")
                process.send_signal(signal.SIGTERM)
                code = process.wait(_STOP_LIMIT_S)
        if code != 0:
            raise DemoError(f"the worker ended with code {code}; see {OUT / 'worker.log'}")

    def _say(self, text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - self._started_s:6.1f} s  {text}\n")


def _environment(settings: Settings) -> dict[str, str]:
    own = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "SCHEMA_REGISTRY_URL": settings.registry_url or "",
        "HEADRACE_STORE_URL": settings.store_url,
        "HEADRACE_DATABASE_URL": settings.database_url,
    }
    foreign = ("KAFKA_", "HEADRACE_", "SCHEMA_REGISTRY")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(foreign)}, **own}
