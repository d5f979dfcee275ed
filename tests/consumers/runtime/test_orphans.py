"""A child process ends with its worker, whatever ends the worker: an orphan would handle what the next owner handles too."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.flows import eventually
from tests.support.workers import ROOT

A_MOMENT_S = 0.5


def is_gone(pid):
    """Ended, though perhaps not reaped: who inherits it may take its time."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("agent", ["processes", "threads"])
@pytest.mark.parametrize("wish", ["hang", "seize"])
def test_a_child_does_not_outlive_a_worker_that_is_killed(agent, wish):
    command = [sys.executable, "-m", "tests.support.parents", agent, wish]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        try:
            child = int(parent.stdout.readline())
            time.sleep(A_MOMENT_S)  # the handler has begun
            assert not is_gone(child)
        finally:
            parent.kill()
        eventually(lambda: is_gone(child), limit_s=10)
