"""`faust -A streams worker`: Faust's own command, with our options and without its web server."""

import faulthandler
import os
import signal
import sys
from typing import Any

import click
from faust.cli.base import now_builtin_worker_options, option
from faust.cli.worker import worker as FaustWorkerCommand  # noqa: N812  Faust names its commands so
from faust.worker import Worker

from consumers.runtime.kit import open_kit
from schemas.errors import HeadraceError
from schemas.settings import from_environment
from streams import logs, replacement
from streams.host import Host
from streams.selection import chosen, parse_changes


class QuietWorker(Worker):
    """Faust's worker without its banner and spinner, and without the second that it sleeps on its way out."""

    async def _sentinel_task(self) -> None:
        """Faust waits a second here for nothing: an idle SIGTERM takes 0.4 s instead of 1.4 s without it."""

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        """A second signal is no news to mode; to a worker that stops in order to be replaced, it is."""
        if self._signal_stop_time:
            replacement.call_off()
        super()._schedule_shutdown(signal)

    def on_setup_root_logger(self, _logger: Any, _level: int) -> None:
        """No spinner."""
        self.spinner = None


class worker(FaustWorkerCommand):  # noqa: N801  the class's name is the command's
    """Run the agents of the catalogue.

    \b
    Examples:
      faust -A streams worker
      faust -A streams worker --agents images,text --concurrency images=4
      faust -A streams worker --catalogue shop.agents
    """

    redirect_stdouts = False
    options = [  # noqa: RUF012
        option("--agents", default="", help="Run only these agents, by name, separated by commas (HEADRACE_AGENTS)."),
        option("--concurrency", default="", help="Override the catalogue: agent=number, separated by commas."),
        option(
            "--reset",
            default="",
            help="What a commit that no longer fits its log leads to: agent=stop, earliest or latest, by commas.",
        ),
        option(
            "--catalogue", default="", help="A module of your own agents, such as shop.agents (HEADRACE_CATALOGUE)."
        ),
        option(
            "--metrics-port", default=None, type=click.IntRange(1, 65535), help="Prometheus text on 127.0.0.1:PORT."
        ),
        *now_builtin_worker_options,
    ]

    def on_worker_created(self, worker: Any) -> None:
        """No banner: the ready line says what runs."""

    def _init_worker_options(self, *_args: Any, **given: Any) -> None:
        """Read the options and hang the host into the app; a fault is told on stderr and ends the process with code 2."""
        try:
            self._host_agents(**given)
        except HeadraceError as error:
            sys.stderr.write(f"error: {error}\n")
            raise SystemExit(error.exit_code) from error

    def _host_agents(
        self, *, agents: str, concurrency: str, reset: str, catalogue: str, metrics_port: int | None, **_others: Any
    ) -> None:
        flags = {
            "HEADRACE_AGENTS": agents,
            "HEADRACE_CATALOGUE": catalogue,
            "HEADRACE_METRICS_PORT": str(metrics_port or ""),
        }
        settings = from_environment({**os.environ, **{name: value for name, value in flags.items() if value}})
        faulthandler.enable()  # a handler's SIGSEGV leaves the stacks of all threads in the log
        kit = open_kit(settings)  # imports the user's module too, and with it any stock agent
        picked = chosen(kit.catalogue.agents, settings.agents, parse_changes(concurrency=concurrency, reset=reset))
        logs.configure(settings.log_level)
        app: Any = self.app  # it takes instances too, whatever its annotation says
        app.service(Host(kit, picked, loop=self.app.loop, beacon=self.app.beacon))
