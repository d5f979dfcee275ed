"""A server's process: known for certain, and gone when it is told to go."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import devstack
from devstack.errors import StartError
from devstack.layout import Layout
from devstack.process import Process, noted, spawn_java
from tests.support.flows import eventually

Spawn = Callable[[str], Process]


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Starts a shell script in the place of a server."""
    started: list[Process] = []

    def run(script: str) -> Process:
        program = tmp_path / "server"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        process = spawn_java(program, [], log=tmp_path / "log", pid_file=tmp_path / "process.json")
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()


def test_a_server_is_seen_alive_from_the_moment_it_is_started(spawn: Spawn, tmp_path: Path) -> None:
    for _ in range(40):
        process = spawn("while :; do sleep 0.05; done")
        assert process.is_alive()
        assert noted(tmp_path / "process.json") == process
        process.kill()
        assert not process.is_alive()


def test_a_pid_that_now_belongs_to_another_process_is_not_ours() -> None:
    assert not Process(os.getpid(), "token-of-a-server-long-gone").is_alive()


def test_a_server_that_ignores_sigterm_is_killed_when_the_patience_is_over(spawn: Spawn, tmp_path: Path) -> None:
    deaf = tmp_path / "deaf"
    process = spawn(f"trap '' TERM\ntouch '{deaf}'\nwhile :; do sleep 0.05; done")
    eventually(deaf.exists)
    process.stop(patience_s=0.3)
    assert not process.is_alive()


def test_a_server_that_ends_at_once_is_noticed(spawn: Spawn, tmp_path: Path) -> None:
    process = spawn("echo no such option; exit 1")
    assert process.has_ended(within_s=10)
    assert (tmp_path / "log").read_text() == "no such option\n"


def test_a_broker_that_cannot_start_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    Layout.new(brokers=1, port=0).save(tmp_path)
    folder = tmp_path / "broker-1" / "data"
    folder.mkdir(parents=True)
    (folder / "meta.properties").write_text("version=1\ncluster.id=of-another-cluster\nnode.id=7\n")
    with pytest.raises(
        StartError, match=r"broker 1 did not start: its process has ended; the end of .*server.log:\n(.*\n)*.*7"
    ):
        devstack.up(data=tmp_path)
    stack = devstack.find(tmp_path)
    assert stack
    assert stack.pid(0) is None
