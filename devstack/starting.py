"""Bring a stack up: new, kept from last time, or up already."""

import shutil
from pathlib import Path

from devstack.console import say
from devstack.errors import NotRunningError, StackDiffersError
from devstack.layout import DEFAULT_PORT, DEFAULT_REGISTRY_PORT, Layout
from devstack.locks import locked
from devstack.stack import Stack

DEFAULT_DATA = Path(".devstack")


def up(
    *,
    brokers: int | None = None,
    registry: bool = False,
    port: int | None = None,
    registry_port: int | None = None,
    data: Path = DEFAULT_DATA,
    fresh: bool = False,
    stock_java: bool = False,
) -> Stack:
    """Bring a stack up and wait until it serves; one that is up already is reused, what is down of it is started.

    Args:
        brokers: 1 or 3; None for what the data directory has, else 1.
        registry: whether a schema registry is wanted too; a stack that has one keeps it, since records hold its ids.
        port: of the first broker; each broker takes two ports, for clients and for its controller.
            None for what the data directory had, else 9092; 0 for free ones.
        registry_port: None for what it had, else 8081; 0, or a `port` of 0, for a free one.
        data: the stack's directory; it holds everything but the downloads.
        fresh: stop what runs there and delete its data first.
        stock_java: set Java up for a load, as Kafka's own scripts do, and not for a fast start.

    Raises:
        StackDiffersError: when the directory has a stack of another number of brokers, or one running on other ports.
        PortTakenError: when a port is another's.
        UnavailableError: when Java, Kafka or the registry cannot be had.
        StartError, ClusterNotReadyError: when a server does not come up; what this call started is stopped again.
    """
    data = data.absolute()
    with locked(data):
        former = find(data)
        if former and fresh:
            _wipe(former)
            former = None
        layout = _agree(former, brokers=brokers, port=port)
        layout = _agree_registry(
            former, layout, wanted=registry, port=0 if registry_port is None and port == 0 else registry_port
        )
        return _bring_up(Stack(data, layout, stock_java))


def find(data: Path = DEFAULT_DATA) -> Stack | None:
    """The stack of that data directory, running or not."""
    layout = Layout.load(data)
    return Stack(data.absolute(), layout) if layout else None


def running(data: Path = DEFAULT_DATA) -> Stack:
    """The stack that runs there.

    Raises:
        NotRunningError: when none does.
    """
    stack = find(data)
    if stack is None or not stack.is_up:
        raise NotRunningError(data)
    return stack


def _bring_up(stack: Stack) -> Stack:
    down = [server for server in stack.servers if not server.process]
    stack.check_ports(down)
    stack.layout.save(stack.data)  # before anything starts: what runs must be found again whatever happens
    try:
        stack.launch(down)
        stack.wait_until_ready()
    except BaseException:
        for server in down:
            if process := server.process:
                process.stop()
        raise
    return stack


def _wipe(stack: Stack) -> None:
    """Delete what `up` made, and nothing else that may lie in the directory."""
    stack.stop()
    for server in stack.servers:
        if server.folder.is_dir():
            shutil.rmtree(server.folder)
    say(f"deleted the former data in {stack.data}")


def _agree(former: Stack | None, *, brokers: int | None, port: int | None) -> Layout:
    if former is None:
        return Layout.new(brokers=brokers or 1, port=DEFAULT_PORT if port is None else port)
    had = len(former.layout.ports)
    if brokers not in {None, had}:
        raise StackDiffersError(
            f"the data in {former.data} are of a stack of {had} broker{'s' if had > 1 else ''}, not {brokers}\n"
            f"Use --brokers {had}, another --data, or --fresh to delete them"
        )
    runs = any(broker.process for broker in former.brokers)
    if port is None or (runs and port in {0, former.layout.ports[0]}):
        return former.layout
    if runs:
        raise StackDiffersError(
            f"the stack in {former.data} runs on port {former.layout.ports[0]}, not {port}\n"
            "Stop it first: python -m devstack down; or use another --data"
        )
    return former.layout.at(port)


def _agree_registry(former: Stack | None, layout: Layout, *, wanted: bool, port: int | None) -> Layout:
    """A registry that runs stays where it is; one that is wanted takes the asked, the former or the default port."""
    runs = former is not None and former.registry is not None and former.registry.process is not None
    if runs or not wanted:
        return layout
    had = layout.registry_port or DEFAULT_REGISTRY_PORT
    return layout.with_registry(had if port is None else port)
