"""TCP ports of 127.0.0.1: which are free, and who holds those that are not."""

import random
import socket

from devstack.errors import PortTakenError

# Below the ephemeral ports (32768 and up on Linux, 49152 on macOS): while a killed broker is down, no client's
# outgoing connection may be given its port.
_FROM, _TO = 15_000, 32_000


def is_free(port: int) -> bool:
    """Whether a server may listen on this port now (a connection in TIME_WAIT does not hold it)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """That many different free ports."""
    candidates = random.SystemRandom().sample(range(_FROM, _TO), _TO - _FROM)
    return [port for port, _ in zip(filter(is_free, candidates), range(count), strict=False)]


def require_free(port: int, *, use: str, option: str) -> None:
    """Check one port.

    Raises:
        PortTakenError: naming the port, the process that has it where the system tells, and the option to change.
    """
    if not is_free(port):
        raise PortTakenError(port, use=use, option=option, holder=_holder(port))


def _holder(port: int) -> str | None:
    import psutil

    try:
        pids = [
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.pid and tuple(connection.laddr)[1:2] == (port,)
        ]
        return f"{psutil.Process(pids[0]).name()} (pid {pids[0]})" if pids else None
    except psutil.Error:  # the system tells only root, or it has just ended: the error goes without the name
        return None
