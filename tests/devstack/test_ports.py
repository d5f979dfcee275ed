"""Ports: free ones are free, taken ones are named."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import devstack
from devstack.errors import PortTakenError
from devstack.ports import free_ports, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_free_ports_are_free_different_and_below_the_ephemeral_ones() -> None:
    ports = free_ports(6)
    assert len(set(ports)) == 6
    assert all(is_free(port) and port < 32_768 for port in ports)


def test_a_port_on_which_something_listens_is_not_free(taken: int) -> None:
    assert not is_free(taken)


def test_a_taken_port_is_named_with_its_holder_and_the_way_out_and_nothing_is_started(
    taken: int, tmp_path: Path
) -> None:
    with pytest.raises(PortTakenError) as caught:
        devstack.up(port=taken, data=tmp_path)
    assert caught.value.port == taken
    assert f"port {taken} on 127.0.0.1" in str(caught.value)
    assert "(pid " in str(caught.value)
    assert "--port N (--port 0 takes any free one)" in str(caught.value)
    assert devstack.find(tmp_path) is None


def test_a_taken_registry_port_stops_the_start_before_any_broker_runs(taken: int, tmp_path: Path) -> None:
    with pytest.raises(PortTakenError, match=r"the schema registry.*\n.*--registry-port N"):
        devstack.up(registry=True, port=0, registry_port=taken, data=tmp_path)
    assert not list(tmp_path.glob("broker-*"))
