"""A node's server.properties: everything on 127.0.0.1, small, and quick to notice what died."""

from pathlib import Path

from devstack.layout import Layout

SMALL_AND_QUICK: dict[str, int | str] = {
    "auto.create.topics.enable": "false",
    "num.partitions": 4,
    # 50 and more by default: made for clusters; each is a folder with three files.
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.num.partitions": 4,
    "group.initial.rebalance.delay.ms": 0,
    # The broker's defaults allow no session below 45 s and no heartbeat below 5 s, and a group cannot go below these.
    "group.consumer.min.session.timeout.ms": 100,
    "group.consumer.min.heartbeat.interval.ms": 100,
    # A killed broker is missed after 3 s instead of 9, and is ready again in 5 s instead of 13.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    # The default buffer alone takes 128 MiB of heap.
    "log.cleaner.dedupe.buffer.size": 1_048_577,
    "log.cleaner.threads": 1,
}


def durability(brokers: int) -> dict[str, int | str]:
    """Copies of every record: as many as brokers, up to 3; all but one of them must have it."""
    copies = min(3, brokers)
    in_sync = max(1, copies - 1)
    return {
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
    }


def server_properties(index: int, layout: Layout, data: Path) -> str:
    """The settings of the broker of that index (from 0), as the text of a properties file."""
    client, controller = layout.ports[index], layout.controller_ports[index]
    settings = {
        "node.id": index + 1,
        "process.roles": "broker,controller",
        "controller.quorum.voters": layout.voters,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{client}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        **durability(len(layout.ports)),
        **SMALL_AND_QUICK,
    }
    return "".join(f"{name}={_escaped(str(value))}\n" for name, value in settings.items())


def _escaped(value: str) -> str:
    """As java.util.Properties reads it: ISO 8859-1, so that what is not ASCII goes as UTF-16 escapes."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2))
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)
