"""Which servers a stack has and on which ports: kept in the data directory, so that the next `up` finds its data."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from devstack.ports import free_ports

DEFAULT_PORT = 9092
DEFAULT_REGISTRY_PORT = 8081


@dataclass(frozen=True, slots=True)
class Layout:
    """A stack's shape.

    Attributes:
        cluster_id: Kafka's id of the cluster: 16 bytes, base64url without padding.
        ports: of the brokers, in order; a broker's controller listens on the one of the same index below.
        controller_ports: of the controllers.
        registry_port: of the schema registry, or None while the stack has none.
    """

    cluster_id: str
    ports: tuple[int, ...]
    controller_ports: tuple[int, ...]
    registry_port: int | None = None

    @classmethod
    def new(cls, *, brokers: int, port: int) -> Self:
        """A new cluster from `port` on, two ports a broker; 0 takes free ones."""
        ports = _pairs(brokers, port)
        identity = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        # StorageTool takes an argument that begins with a hyphen for an option.
        return cls("A" + identity[1:], ports[::2], ports[1::2])

    def at(self, port: int) -> Self:
        """The same cluster on other ports; its log does not remember them."""
        ports = _pairs(len(self.ports), port)
        return replace(self, ports=ports[::2], controller_ports=ports[1::2])

    def with_registry(self, port: int) -> Self:
        """The same cluster with a registry on that port; 0 takes a free one."""
        return replace(self, registry_port=port or free_ports(1)[0])

    @property
    def bootstrap_servers(self) -> str:
        """What clients connect to."""
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    @property
    def voters(self) -> str:
        """Kafka's `controller.quorum.voters`."""
        return ",".join(f"{index + 1}@127.0.0.1:{port}" for index, port in enumerate(self.controller_ports))

    def save(self, data: Path) -> None:
        """Write it to the data directory."""
        _file(data).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, data: Path) -> Self | None:
        """The layout of that data directory, or None where no stack has ever been."""
        if not _file(data).is_file():
            return None
        values = json.loads(_file(data).read_text(encoding="utf-8"))
        return cls(**{**values, "ports": tuple(values["ports"]), "controller_ports": tuple(values["controller_ports"])})


def _pairs(brokers: int, port: int) -> tuple[int, ...]:
    return tuple(range(port, port + 2 * brokers)) if port else tuple(free_ports(2 * brokers))


def _file(data: Path) -> Path:
    return data / "stack.json"
