"""A stack's life on a real Kafka: up, reuse, kill, down, up again, fresh."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import devstack
from devstack import Stack
from devstack.errors import NotRunningError, StackDiffersError
from tests.support import plain


def make_topic(stack: Stack, name: str) -> str:
    return plain.create_topic(plain.admin_of(stack.bootstrap_servers), name)


def pids(stack: Stack) -> list[int]:
    return [server.process.pid for server in stack.servers if server.process]


def test_a_stack_that_is_up_is_reused(stack: Stack) -> None:
    before = pids(stack)
    again = devstack.up(data=stack.data)
    assert again == stack
    assert pids(again) == before
    assert len(before) == 1


def test_a_stack_that_is_up_is_reused_when_any_free_port_would_do(stack: Stack) -> None:
    assert devstack.up(port=0, data=stack.data) == stack


def test_data_and_ports_are_kept_from_one_up_to_the_next(stack: Stack) -> None:
    plain.write(stack.bootstrap_servers, make_topic(stack, "kept"), [b"one", b"two"])
    assert stack.down()
    assert pids(stack) == []
    again = devstack.up(data=stack.data)
    assert again.bootstrap_servers == stack.bootstrap_servers
    assert plain.read(again.bootstrap_servers, "kept", 2) == [b"one", b"two"]


def test_for_a_load_java_is_set_up_as_by_kafkas_own_scripts(stack: Stack) -> None:
    stack.down()
    (pid,) = pids(devstack.up(data=stack.data, stock_java=True))
    options = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    assert [option for option in options if option.startswith("-Xmx")][-1] == "-Xmx1g"
    assert "-XX:+UseG1GC" in options
    assert "-XX:TieredStopAtLevel=1" not in options


def test_a_killed_broker_comes_back_on_its_port_with_its_acknowledged_records(stack: Stack) -> None:
    plain.write(stack.bootstrap_servers, make_topic(stack, "survives"), [b"acknowledged"])
    stack.kill(0)
    assert stack.pid(0) is None
    stack.start(0)
    assert plain.read(stack.bootstrap_servers, "survives", 1) == [b"acknowledged"]


def test_a_stale_pid_file_leads_neither_to_a_kill_nor_to_a_reuse(stack: Stack) -> None:
    stack.down()
    innocent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        pid_file = stack.data / "broker-1" / "process.json"
        pid_file.write_text(json.dumps({"pid": innocent.pid, "token": "of-a-broker-long-gone"}))
        assert not stack.down()
        again = devstack.up(data=stack.data)
        assert again.pid(0) != innocent.pid
        again.down()
        assert innocent.poll() is None
    finally:
        innocent.communicate(b"\n")


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"pid": "x"}', '{"pid": 1, "token": "t", "more": 1}'])
def test_a_broken_pid_file_names_no_process(stack: Stack, text: str, tmp_path: Path) -> None:
    (tmp_path / "broker-1").mkdir()
    (tmp_path / "broker-1" / "process.json").write_text(text)
    assert Stack(tmp_path, stack.layout).pid(0) is None


def test_another_number_of_brokers_is_refused_because_the_data_are_of_one(stack: Stack) -> None:
    with pytest.raises(StackDiffersError, match=r"of a stack of 1 broker, not 3\n.*--fresh"):
        devstack.up(brokers=3, data=stack.data)


def test_a_running_stack_does_not_move_to_another_port(stack: Stack) -> None:
    with pytest.raises(StackDiffersError, match=r"runs on port .*\n.*devstack down"):
        devstack.up(port=stack.layout.ports[0] + 1, data=stack.data)


def test_a_stack_that_is_down_moves_to_another_port_with_its_data(stack: Stack) -> None:
    plain.write(stack.bootstrap_servers, make_topic(stack, "moved"), [b"here"])
    stack.down()
    moved = devstack.up(port=0, data=stack.data)
    assert moved.bootstrap_servers != stack.bootstrap_servers
    assert plain.read(moved.bootstrap_servers, "moved", 1) == [b"here"]


def test_fresh_deletes_the_data_of_the_stack_and_nothing_else(stack: Stack) -> None:
    make_topic(stack, "forgotten")
    other = stack.data / "notes.txt"
    other.write_text("mine")
    new = devstack.up(fresh=True, port=0, data=stack.data)
    assert "forgotten" not in plain.admin_of(new.bootstrap_servers).list_topics(timeout=10).topics
    assert other.read_text() == "mine"


def test_two_ups_at_once_make_one_stack(stack: Stack) -> None:
    stack.down()
    command = [sys.executable, "-m", "devstack", "up", "--data", str(stack.data)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert answers[0][0] == answers[1][0]
    assert sum("waiting for another devstack" in messages for _, messages in answers) == 1
    assert len(pids(stack)) == 1


def test_where_no_stack_runs_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="start one with: python -m devstack up"):
        devstack.running(tmp_path)
    assert devstack.find(tmp_path) is None
