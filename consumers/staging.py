"""Folders of a file system that appear with all their files at once, by one rename."""

import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

STAGING = ".incoming"
_STALE_S = 3_600
"""A staged folder so old belongs to a writer that was killed: no handler's deadline comes near an hour."""


class Staging:
    """Writes sets of files below a root.

    Args:
        root: an existing folder; the staging folder lies in it, for a rename works within one file system only.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._staging = root / STAGING
        self._swept = False

    def write(self, folder: str, objects: Mapping[str, bytes], *, last: str) -> None:
        """Make a folder appear with these files.

        1. write and flush every file in a staging folder of its own;
        2. rename that folder into place;
        3. where a complete folder stands already, another writer was first: leave it;
        4. where an incomplete one stands, move it out of the way, and rename again.

        Args:
            folder: relative to the root.
            objects: the bytes by file name.
            last: the file that makes a folder complete.

        Raises:
            OSError: when the disk is full or refuses; nothing is visible then.
        """
        self._sweep()
        staged, target = self._new_folder(), self._root / folder
        try:
            _write_files(staged, objects)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not _rename(staged, target) and not (target / last).exists():
                self._replace(staged, target)
            _flush(target.parent)
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def _replace(self, staged: Path, target: Path) -> None:
        aside = self._new_folder()
        target.rename(aside / "incomplete")
        _rename(staged, target)
        shutil.rmtree(aside, ignore_errors=True)

    def _new_folder(self) -> Path:
        folder = self._staging / secrets.token_hex(8)
        folder.mkdir(parents=True)
        return folder

    def _sweep(self) -> None:
        """Once a process: remove what killed writers have left."""
        if self._swept or not self._staging.is_dir():
            return
        self._swept = True
        for left in self._staging.iterdir():
            if _age_s(left) > _STALE_S:
                shutil.rmtree(left, ignore_errors=True)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # its writer has just finished
        return 0.0


def _rename(staged: Path, target: Path) -> bool:
    """Whether the folder is in place now; False where a folder with files in it stands there."""
    try:
        staged.rename(target)
    except OSError:
        if target.is_dir() and any(target.iterdir()):
            return False
        raise
    return True


def _write_files(folder: Path, objects: Mapping[str, bytes]) -> None:
    for name, data in objects.items():
        with (folder / name).open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    _flush(folder)


def _flush(folder: Path) -> None:
    """Flush the entries of a folder: without it a power failure may take back the rename."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
