"""Apicurio Registry: the schema registry of a stack, speaking Confluent's protocol, its data in a file beside Kafka's."""

import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from devstack.download import registry_home
from devstack.errors import StartError
from devstack.java import find_java
from devstack.layout import Layout
from devstack.ports import free_ports
from devstack.process import Process, noted, spawn_java

_JAVA_FOR_REGISTRY = 21
_READY_WITHIN_S = 90.0


@dataclass(frozen=True, slots=True)
class Registry:
    """A stack's registry, running or not.

    Attributes:
        port: where it listens.
        folder: its log, pid file and database.
    """

    port: int
    folder: Path

    name: ClassVar[str] = "registry"
    port_option: ClassVar[str] = "--registry-port"

    def ports(self, _layout: Layout) -> list[tuple[int, str]]:
        """The port that it listens on, with its use in words."""
        return [(self.port, "the schema registry")]

    @property
    def url(self) -> str:
        """What SCHEMA_REGISTRY_URL is set to."""
        return f"http://127.0.0.1:{self.port}/apis/ccompat/v7"

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / "server.log"

    @property
    def process(self) -> Process | None:
        """Its process, while that runs."""
        return noted(self.folder / "process.json")

    def start(self) -> Process:
        """Start it; `wait_until_ready` says when it is up.

        Raises:
            UnavailableError: when Java 21 or the registry cannot be had.
        """
        java, home = find_java(at_least=_JAVA_FOR_REGISTRY), registry_home()
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "quarkus.http.host": "127.0.0.1",
            "quarkus.http.port": self.port,
            # A second port, for health and metrics, which listens on 9000 of every interface unless told otherwise.
            "quarkus.management.host": "127.0.0.1",
            "quarkus.management.port": 0,
            "quarkus.log.level": "WARN",
            'quarkus.log.category."io.apicurio".level': "WARN",
            "quarkus.http.access-log.enabled": "false",
            # Not the default, which is in memory: schema ids stand in the records, and must live as long as they.
            "apicurio.storage.kind": "sql",
            "apicurio.storage.sql.kind": "h2",
            # H2 writes half a second late by default: seen that a kill lost an id which had been given out.
            "apicurio.datasource.url": f"jdbc:h2:file:{(self.folder / 'data' / 'registry').absolute()};WRITE_DELAY=0",
        }
        options = [f"-D{name}={value}" for name, value in settings.items()]
        jar = str(home / "quarkus-run.jar")
        arguments = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *options, "-jar", jar]
        return spawn_java(java.path, arguments, log=self.log, pid_file=self.folder / "process.json")

    def wait_until_ready(self) -> None:
        """Wait until it answers.

        Raises:
            StartError: when it ended, or did not answer in time; with the end of its log.
        """
        deadline = time.monotonic() + _READY_WITHIN_S
        while not self._answers():
            if self.process is None:
                raise StartError(self.name, "its process has ended", self.log)
            if time.monotonic() > deadline:
                raise StartError(self.name, f"not ready within {_READY_WITHIN_S:.0f} s", self.log)
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=2) as answer:  # noqa: S310 - our own http URL
                return bool(answer.status == 200)
        except OSError:  # URLError and HTTPError are OSErrors: not up yet
            return False


@contextmanager
def registry_alone(data: Path, *, port: int = 0) -> Iterator[str]:
    """A registry without brokers, its data in that folder, stopped at the end; gives its URL. Port 0 takes a free one."""
    registry = Registry(port or free_ports(1)[0], data.absolute() / "registry")
    process = registry.start()
    try:
        registry.wait_until_ready()
        yield registry.url
    finally:
        process.stop()
