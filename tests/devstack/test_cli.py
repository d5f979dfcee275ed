"""`python -m devstack`: data on stdout, messages on stderr, exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import Stack


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "devstack", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_env_is_taken_by_a_shell(stack_with_registry: Stack) -> None:
    stack = stack_with_registry
    script = 'set -a; eval "$("$0" -m devstack env --data "$1")"; env'
    answer = subprocess.run(
        ["sh", "-c", script, sys.executable, stack.data], capture_output=True, text=True, env={}, check=True
    )
    lines = answer.stdout.splitlines()
    assert f"KAFKA_BOOTSTRAP_SERVERS={stack.bootstrap_servers}" in lines
    assert f"SCHEMA_REGISTRY_URL={stack.registry_url}" in lines


def test_up_prints_the_environment_on_stdout_and_the_rest_on_stderr(stack: Stack) -> None:
    answer = run("up", "--data", stack.data)
    assert answer.returncode == 0
    assert answer.stdout == run("env", "--data", stack.data).stdout
    assert "stop it with: python -m devstack down --data" in answer.stderr


def test_status_lists_each_server_and_ends_with_3_when_one_is_down(stack: Stack) -> None:
    answer = run("status", "--data", stack.data)
    assert answer.returncode == 0
    assert [line.split()[:3] for line in answer.stdout.splitlines()[1:]] == [
        ["broker", "1", "up"],
    ]
    stack.kill(0)
    answer = run("status", "--data", stack.data, "-o", "json")
    assert answer.returncode == 3
    assert [(server["server"], server["state"]) for server in json.loads(answer.stdout)] == [
        ("broker 1", "down"),
    ]


def test_down_stops_the_stack_once_and_says_that_nothing_runs_the_second_time(stack: Stack) -> None:
    first, second = run("down", "--data", stack.data), run("down", "--data", stack.data)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "stopped the stack" in first.stderr
    assert "nothing runs" in second.stderr
    assert not any(server.process for server in stack.servers)


@pytest.mark.parametrize("command", ["env", "status"])
def test_without_a_stack_the_command_ends_with_3_and_says_what_to_do(command: str, tmp_path: Path) -> None:
    answer = run(command, "--data", tmp_path)
    assert answer.returncode == 3
    assert answer.stdout == ""
    assert answer.stderr == f"error: no stack runs in {tmp_path}; start one with: python -m devstack up\n"


@pytest.mark.parametrize("arguments", [["up", "--brokers", "2"], ["up", "--port", "70000"], ["sideways"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert run(*arguments).returncode == 2


@pytest.mark.parametrize("command", [[], ["up"], ["down"], ["status"], ["env"]])
def test_help_has_examples(command: list[str]) -> None:
    answer = run(*command, "-h")
    assert answer.returncode == 0
    assert 2 <= answer.stdout.count("python -m devstack ") - 1 <= 4
