"""The command line as a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.workers import ROOT, environment

_BIN = Path(sys.executable).parent


def headrace(settings, *arguments, cwd=None, stdin=None, within=list, **environ):
    """`headrace …` under these settings, to its end; `within` may put the command into another namespace."""
    return _run(within([str(_BIN / "headrace"), *arguments]), settings, cwd, stdin, environ)


def faust(settings, *arguments, cwd=None, **environ):
    """`faust -A streams …` under these settings, to its end."""
    return _run([str(_BIN / "faust"), "-A", "streams", *arguments], settings, cwd, None, environ)


def listed(settings, *arguments, **environ):
    """What a listing of `headrace …` says, as rows; fails unless it says so without complaint."""
    ran = headrace(settings, *arguments, "-o", "json", **environ)
    assert (ran.returncode, ran.stderr) == (0, ""), ran
    return json.loads(ran.stdout)


def _run(command, settings, cwd, stdin, environ):
    return subprocess.run(
        command,
        env=environment(settings, **environ),
        cwd=cwd or ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
