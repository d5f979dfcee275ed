"""A file system so small that it is soon full; nobody need be root for it."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.workers import ROOT

_HOLD = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && echo mounted && exec sleep infinity'


class SmallDisk:
    """A tmpfs in a mount namespace of its own, which lives as long as the process that holds it.

    Attributes:
        folder: where processes within the namespace find it.
        seen: the same folder for processes outside, by the holder's root. Plain files only: SQLite resolves that link.
    """

    def __init__(self, folder: Path, holder: int, *, entering: list[str]) -> None:
        self.folder = folder
        self.seen = Path(f"/proc/{holder}/root{folder}")
        self._enter = ["nsenter", f"--target={holder}", "--mount", *entering, "--", "env", f"--chdir={ROOT}"]

    def within(self, command: list[str]) -> list[str]:
        """The command, to be run within the namespace."""
        return [*self._enter, *command]

    def fill(self) -> Path:
        """Leave no byte free; the file that takes them."""
        filler = self.seen / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (65_536, 4_096, 1):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError:
                    continue
        return filler


@contextmanager
def small_disk(folder: Path, size: str):
    """Such a disk: by root's own right to mount, else by that of a user namespace. Where neither is given the test fails."""
    mapped, entering = ([], []) if os.geteuid() == 0 else (["--map-root-user"], ["--user", "--preserve-credentials"])
    folder.mkdir()
    command = ["unshare", "--mount", *mapped, "sh", "-c", _HOLD, "sh", size, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as holder:
        try:
            if holder.stdout.readline() != "mounted\n":
                pytest.fail(
                    f"a small file system cannot be mounted here ({holder.stderr.read().strip()}): run the tests as root "
                    "with CAP_SYS_ADMIN, or where user namespaces are allowed (unshare --mount --map-root-user)"
                )
            yield SmallDisk(folder, holder.pid, entering=entering)
        finally:
            holder.kill()
