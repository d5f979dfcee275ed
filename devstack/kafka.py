"""One Kafka node, broker and controller in one (KRaft): its settings, its command line, its readiness."""

import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from devstack.errors import StartError
from devstack.java import Java, java_environment
from devstack.layout import Layout
from devstack.process import Process, noted, spawn_java
from devstack.properties import server_properties

_MAIN = "kafka.Kafka"
_READY_WITHIN_S = 90.0
_QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""A small, fast start (facts: 1.0 s and 290 MB against 2.3 s and 360 MB)."""
_STOCK = (
    *("-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"),
    *("-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"),
)
"""As Kafka's own kafka-server-start.sh and kafka-run-class.sh set Java up."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What every node of a stack runs on.

    Attributes:
        java: a Java.
        jars: Kafka's.
        archive: of their loaded classes, if there is one.
        stock: whether Java is set up as Kafka's own scripts do it, for a load, and not for a fast start.
    """

    java: Java
    jars: tuple[Path, ...]
    archive: Path | None = None
    stock: bool = False

    @property
    def class_path(self) -> list[str]:
        """The options that name the jars."""
        return ["-cp", ":".join(str(jar) for jar in self.jars)]

    @property
    def options(self) -> list[str]:
        """Options of every Java process here."""
        shared = [f"-XX:SharedArchiveFile={self.archive}"] if self.archive else []
        quiet = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        return [*(_STOCK if self.stock else _QUICK), *shared, *quiet, *self.class_path]


@dataclass(frozen=True, slots=True)
class Broker:
    """A node of a stack, running or not.

    Attributes:
        index: from 0; Kafka's node id is one more.
        port: where clients connect.
        folder: its settings, log, pid file and data.
    """

    index: int
    port: int
    folder: Path

    port_option: ClassVar[str] = "--port"

    def ports(self, layout: Layout) -> list[tuple[int, str]]:
        """The ports that it listens on, each with its use in words."""
        return [
            (self.port, f"Kafka's {self.name}"),
            (layout.controller_ports[self.index], f"the controller of {self.name}"),
        ]

    @property
    def name(self) -> str:
        """As messages and `status` call it."""
        return f"broker {self.index + 1}"

    @property
    def log(self) -> Path:
        """What Java and Kafka print."""
        return self.folder / "server.log"

    @property
    def process(self) -> Process | None:
        """Its process, while that runs."""
        return noted(self._pid_file)

    @property
    def _pid_file(self) -> Path:
        return self.folder / "process.json"

    @property
    def _settings(self) -> Path:
        return self.folder / "server.properties"

    def start(self, layout: Layout, runtime: Runtime, *, extra_options: tuple[str, ...] = ()) -> Process:
        """Write the settings, format the log folder if it is new, and start; `wait_until_listening` says when it is up."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._settings.write_text(server_properties(self.index, layout, self.folder / "data"), encoding="utf-8")
        if not (self.folder / "data" / "meta.properties").is_file():
            self._format(layout, runtime)
        heap = "-Xmx512m" if len(layout.ports) == 1 else "-Xmx384m"
        arguments = [heap, *extra_options, *runtime.options, _MAIN, str(self._settings)]
        return spawn_java(runtime.java.path, arguments, log=self.log, pid_file=self._pid_file)

    def _format(self, layout: Layout, runtime: Runtime) -> None:
        tool = ["kafka.tools.StorageTool", "format", "-t", layout.cluster_id, "-c", str(self._settings)]
        command = [str(runtime.java.path), *runtime.options, *tool]
        answer = subprocess.run(
            command, env=java_environment(), capture_output=True, text=True, check=False, timeout=_READY_WITHIN_S
        )
        if answer.returncode:
            self.log.write_text(answer.stdout + answer.stderr, encoding="utf-8")
            raise StartError(self.name, f"formatting its log folder failed ({answer.returncode})", self.log)

    def wait_until_listening(self) -> None:
        """Wait until its port is open.

        Raises:
            StartError: when it ended, or was not ready in time; with the end of its log.
        """
        deadline = time.monotonic() + _READY_WITHIN_S
        while not is_open(self.port):
            if self.process is None:
                raise StartError(self.name, "its process has ended", self.log)
            if time.monotonic() > deadline:
                raise StartError(self.name, f"not ready within {_READY_WITHIN_S:.0f} s", self.log)
            time.sleep(0.03)


def is_open(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
