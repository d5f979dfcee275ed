"""A foreign package with a room's name, first on the path, is told; it is never imported for ours."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.workers import ROOT

BIN = Path(sys.executable).parent
COMMANDS = {
    "headrace": [str(BIN / "headrace"), "--version"],
    "faust": [str(BIN / "faust"), "-A", "streams", "--help"],
    "publisher": [sys.executable, "-c", "import streams"],
}


def run_in(folder, command, path):
    environ = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("room", ["schemas", "producers", "consumers"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_foreign_room_first_on_the_path_is_one_clear_error_and_exit_code_2(tmp_path, room, name):
    foreign = tmp_path / room
    foreign.mkdir()
    (foreign / "__init__.py").write_text("raise SystemExit('the foreign package was imported')")
    ran = run_in(tmp_path, COMMANDS[name], str(tmp_path))
    assert ran.returncode == 2
    assert ran.stderr == (
        f"error: the package {room!r} at {foreign} hides Headrace's own: rename it, or start from another folder\n"
    )
    assert ran.stdout == ""


def test_a_foreign_streams_is_told_by_the_console_script(tmp_path):
    foreign = tmp_path / "streams"
    foreign.mkdir()
    (foreign / "__init__.py").write_text("raise SystemExit('the foreign package was imported')")
    ran = run_in(tmp_path, COMMANDS["headrace"], str(tmp_path))
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"error: the package 'streams' at {foreign} hides Headrace's own")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_without_such_packages_disturbs_nobody(tmp_path, name):
    (tmp_path / "shop").mkdir()
    ran = run_in(tmp_path, COMMANDS[name], str(tmp_path))
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_headrace_s_own_folder_is_no_stranger(name):
    ran = run_in(ROOT, COMMANDS[name], str(ROOT))
    assert (ran.returncode, ran.stderr) == (0, "")
