"""A RabbitMQ for one contestant: from Debian's package, by hand, on loopback, its data in the run's temporary folder."""

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.children import Child, environment, tail
from bench.errors import UnavailableContestantError
from devstack.ports import free_ports

ADVICE = (
    "RabbitMQ is not installed; on Debian: apt-get update && apt-get install -y --no-install-recommends rabbitmq-server"
)
_READY_WITHIN_S = 60.0


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """Start it with an Erlang port mapper of its own (Erlang's default one would outlive us, on all interfaces); its URL.

    Raises:
        UnavailableContestantError: when it is not installed or does not come up.
    """
    server, mapper = _script(), shutil.which("epmd")
    if server is None or mapper is None:
        raise UnavailableContestantError(ADVICE)
    port, dist_port, mapper_port = free_ports(3)
    env = _environment(folder, port, dist_port, mapper_port)
    with ExitStack() as started:
        log = folder / "rabbitmq.log"
        mapping = [mapper, "-address", "127.0.0.1", "-port", str(mapper_port)]
        started.enter_context(Child(mapping, env=env, cwd=folder, log=log))
        child = started.enter_context(Child([str(server)], env=env, cwd=folder, log=log))
        _wait_until_ready(child, port)
        yield f"amqp://guest:guest@127.0.0.1:{port}/"


def version() -> str:
    """Its version, from the folder that the package installs."""
    server = _script()
    return server.parts[-3].removeprefix("rabbitmq_server-") if server else "not installed"


def _script() -> Path | None:
    """The server's script; not the one on the path, which changes to a user of the package's own."""
    return next(iter(sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))), None)


def _environment(folder: Path, port: int, dist_port: int, mapper_port: int) -> dict[str, str]:
    (folder / "enabled_plugins").write_text("[].\n")
    (folder / "rabbitmq.conf").write_text("loopback_users.guest = true\n")
    return environment(
        folder,
        RABBITMQ_NODENAME="bench@localhost",
        RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
        RABBITMQ_NODE_PORT=str(port),
        RABBITMQ_DIST_PORT=str(dist_port),
        RABBITMQ_MNESIA_BASE=str(folder / "mnesia"),
        RABBITMQ_LOG_BASE=str(folder / "log"),
        RABBITMQ_PID_FILE=str(folder / "rabbitmq.pid"),
        RABBITMQ_CONFIG_FILE=str(folder / "rabbitmq.conf"),
        RABBITMQ_CONF_ENV_FILE=str(folder / "none"),
        RABBITMQ_ENABLED_PLUGINS_FILE=str(folder / "enabled_plugins"),
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}",
        ERL_EPMD_PORT=str(mapper_port),
        ERL_EPMD_ADDRESS="127.0.0.1",
    )


def _wait_until_ready(child: Child, port: int) -> None:
    """Until it answers AMQP's greeting: its port opens before it serves."""
    until_s = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until_s and not child.has_ended:
        if _answers(port):
            return
        time.sleep(0.3)
    raise UnavailableContestantError(f"RabbitMQ did not come up: {tail(child.log)}")


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(connection.recv(8))
    except OSError:
        return False
