"""The Faust application: `faust -A streams worker` is the process that runs the agents.

Faust does what it is good at: the worker process, its life cycle and its command line. Delivery is ours. Where a user
adds a stock `@app.agent`, Faust's own transport starts beside our agents; where nobody does, Faust opens no
connection, makes no topic and no folder. Its web server, which has no authentication, never listens.
"""

from collections.abc import Iterable

import faust
from faust.app.base import BootStrategy
from mode import ServiceT

from schemas.settings import Settings, from_environment

_A_WEEK_S = 7 * 24 * 3600.0


class _Silent(BootStrategy):
    """Faust without a connection."""

    enable_kafka = False
    enable_web = False


class _WithoutWeb(BootStrategy):
    """Faust with its own transport, for stock agents, but without its web server."""

    enable_web = False


class Headrace(faust.App):
    """A Faust app that is silent as long as it has no stock agent."""

    @property
    def has_stock_agents(self) -> bool:
        """Whether a user has added an `@app.agent`."""
        return bool(self.agents)

    def on_init_dependencies(self) -> Iterable[ServiceT]:
        """Start Faust's transport only for stock agents."""
        self.boot_strategy = _WithoutWeb(self) if self.has_stock_agents else _Silent(self)
        return super().on_init_dependencies()

    def worker_init_post_autodiscover(self) -> None:
        """As Faust's, without preparing its web server."""
        self.on_worker_init.send()

    def _create_directories(self) -> None:
        if self.has_stock_agents:
            self.conf.datadir.parent.mkdir(parents=True, exist_ok=True)
            super()._create_directories()


def make_app(settings: Settings) -> Headrace:
    """The application under these settings.

    The buffer and the poll interval are what keeps a back-pressured stock agent in its group: with Faust's defaults a
    handler slower than 0.6 s leaves it for good.
    """
    brokers = ";".join(f"aiokafka://{server.strip()}" for server in settings.bootstrap_servers.split(","))
    return Headrace(
        f"{settings.prefix}headrace-faust",
        broker=brokers,
        origin="streams",
        autodiscover=False,
        datadir="data/faust",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_buffer_maxsize=32,
        broker_max_poll_interval=_A_WEEK_S,
        worker_redirect_stdouts=False,
        Worker="streams.worker:QuietWorker",
    )


app = make_app(from_environment())
"""The one that `faust -A streams` finds."""

from streams import worker as _worker  # noqa: E402,F401  registers our `worker` command in place of Faust's
from streams.commands import faust_commands as _faust_commands  # noqa: E402,F401  adds `status` to Faust's commands
