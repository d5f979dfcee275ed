"""A stack: brokers and, if there is one, a registry, in one data directory; stop it, or break it on purpose."""

import signal
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack import cluster
from devstack.archive import kafka_runtime
from devstack.kafka import Broker
from devstack.layout import Layout
from devstack.locks import locked
from devstack.ports import require_free
from devstack.registry import Registry


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack in a data directory, whether it runs or not; as a context manager it goes down at the end.

    Attributes:
        data: the directory.
        layout: its servers and their ports.
        stock_java: whether brokers that it starts run as Kafka's own scripts would start them.
    """

    data: Path
    layout: Layout
    stock_java: bool = False

    @property
    def bootstrap_servers(self) -> str:
        """What KAFKA_BOOTSTRAP_SERVERS is set to."""
        return self.layout.bootstrap_servers

    @property
    def registry_url(self) -> str | None:
        """What SCHEMA_REGISTRY_URL is set to; None for a stack without a registry."""
        return self.registry.url if self.registry else None

    @property
    def brokers(self) -> list[Broker]:
        """Its brokers, running or not."""
        return [Broker(i, port, self.data / f"broker-{i + 1}") for i, port in enumerate(self.layout.ports)]

    @property
    def registry(self) -> Registry | None:
        """Its registry, running or not; None if it was never asked for."""
        port = self.layout.registry_port
        return Registry(port, self.data / "registry") if port else None

    @property
    def servers(self) -> list[Broker | Registry]:
        """The brokers, then the registry if there is one."""
        return [*self.brokers, *([self.registry] if self.registry else [])]

    @property
    def is_up(self) -> bool:
        """Whether the process of each of its servers runs."""
        return all(server.process for server in self.servers)

    def pid(self, index: int) -> int | None:
        """The pid of a broker (from 0), or None while it is down."""
        process = self.brokers[index].process
        return process.pid if process else None

    def kill(self, index: int) -> None:
        """SIGKILL a broker (from 0), as a crash would, and wait until it is gone; its data stay."""
        if process := self.brokers[index].process:
            process.kill()

    def start(self, index: int, *, wait: bool = True) -> None:
        """Start a broker that is down (from 0), on its old port and data.

        Args:
            index: which, from 0.
            wait: until the whole cluster is complete; without it, until the broker's port is open.

        Raises:
            PortTakenError, StartError, ClusterNotReadyError: when it cannot be started.
        """
        broker = self.brokers[index]
        with locked(self.data):
            self.check_ports([broker])
            self.launch([broker])
        broker.wait_until_listening()
        if wait:
            cluster.wait_until_complete(self.layout)

    def down(self) -> bool:
        """Stop its own processes: SIGTERM, wait, SIGKILL. Whether any was running. The data stay."""
        if not self.data.is_dir():
            return False
        with locked(self.data):
            return self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.down()

    def check_ports(self, servers: list[Broker | Registry] | list[Broker]) -> None:
        """Check that the ports of those servers that are down are free.

        Raises:
            PortTakenError: for the first that is not.
        """
        for server in servers:
            if not server.process:
                for port, use in server.ports(self.layout):
                    require_free(port, use=use, option=server.port_option)

    def launch(self, servers: list[Broker | Registry] | list[Broker]) -> None:
        """Start the processes of those servers that are down, without waiting; the caller holds the directory's lock."""
        down = [server for server in servers if not server.process]
        runtime = kafka_runtime() if any(isinstance(server, Broker) for server in down) else None
        for server in down:
            if isinstance(server, Registry):
                server.start()
            elif runtime:
                server.start(self.layout, replace(runtime, stock=self.stock_java))

    def wait_until_ready(self) -> None:
        """Wait until every server serves.

        Raises:
            StartError, ClusterNotReadyError: when one does not.
        """
        for broker in self.brokers:
            broker.wait_until_listening()
        cluster.wait_until_complete(self.layout)
        if self.registry:
            self.registry.wait_until_ready()

    def stop(self) -> bool:
        """Stop every process of its own; the caller holds the directory's lock. Whether any was running."""
        running = [process for server in self.servers if (process := server.process)]
        for process in running:  # all at once: a lone last controller would wait for a quorum
            process.signal(signal.SIGTERM)
        for process in running:
            process.stop()
        return bool(running)
