"""Everything round a run: the brokers, the proxies, the small disk; all of it ends with the run, however that ends."""

import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import devstack
import devstack.kafka
from devstack.layout import Layout
from devstack.ports import free_ports
from devstack.properties import server_properties
from tests.chaos.conduct import conduct
from tests.chaos.judge import judge
from tests.chaos.options import Options
from tests.chaos.proxy import ProxyProcess
from tests.chaos.say import say
from tests.chaos.stage import opened
from tests.support.broker import postgres, scratch_folder
from tests.support.disks import small_disk

_DISK = "128m"


@contextmanager
def brokers(number: int, *, proxied: bool) -> Iterator[tuple[devstack.Stack, ProxyProcess | None]]:
    """A stack of its own; where its network is to be cut, with a second listener that advertises a proxy's address."""
    with ExitStack() as at_end:
        folder = at_end.enter_context(scratch_folder())
        proxies = None
        if proxied:
            ports = free_ports(2 * number)
            pairs = list(zip(ports[:number], ports[number:], strict=True))
            properties = mock.patch.object(devstack.kafka, "server_properties", _with_listener(pairs))
            at_end.enter_context(properties)
            proxies = ProxyProcess(pairs)
            at_end.callback(proxies.close)
        say(f"starting {number} broker{'s' if number > 1 else ''}")
        yield at_end.enter_context(devstack.up(brokers=number, port=0, data=folder / "stack")), proxies


def run(options: Options, stack: devstack.Stack, proxies: ProxyProcess | None) -> dict[str, Any]:
    """One run on a stack that is up, under a prefix of its own."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="headrace-chaos-") as name, ExitStack() as at_end:
        folder = Path(name)
        disk = at_end.enter_context(small_disk(folder / "disk", _DISK)) if options.names & {"disk", "store"} else None
        prefix = f"c{secrets.token_hex(3)}."
        stage = at_end.enter_context(
            opened(
                options,
                stack,
                folder,
                prefix=prefix,
                proxies=proxies if "network" in options.names else None,
                disk=disk,
                database_url=at_end.enter_context(postgres()) if options.database == "postgres" else None,
            )
        )
        try:
            settled = conduct(stage)
            return judge(stage, settled=settled, began_s=began_s)
        finally:
            stage.crew.close()
            _keep_logs(stage.crew.folder)


def _keep_logs(folder: Path) -> None:
    """Copy the workers' logs where CHAOS_KEEP_LOGS says, for whoever looks for the cause of a violation."""
    if kept := os.environ.get("CHAOS_KEEP_LOGS"):
        target = Path(kept) / folder.name
        target.mkdir(parents=True, exist_ok=True)
        for log in folder.glob("worker*.log"):
            (target / log.name).write_bytes(log.read_bytes())


def _with_listener(pairs: list[tuple[int, int]]) -> Any:
    """Devstack's properties and one more listener, at `back`, which is advertised at `front`; the last line of a name wins."""

    def properties(index: int, layout: Layout, data: Path) -> str:
        front, back = pairs[index]
        client, controller = layout.ports[index], layout.controller_ports[index]
        more = {
            "listeners": f"PLAINTEXT://127.0.0.1:{client},PROXIED://127.0.0.1:{back},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{client},PROXIED://127.0.0.1:{front}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
        }
        lines = "".join(f"{name}={value}\n" for name, value in more.items())
        return server_properties(index, layout, data) + lines

    return properties
