"""All variants appear at once or none, also when the worker is killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from consumers.images import process
from consumers.staging import STAGING
from consumers.store import MANIFEST
from demo import drawing
from tests.support.pictures import Room, coffee, upload, variant

ASKED = [variant(f"v{number}", width=600 - number, height=600) for number in range(16)]
WORKER = """
import sys
from pathlib import Path
from consumers.context import Context, Resources
from consumers.images import process
from tests.support.pictures import upload
from tests.consumers.test_images_visibility import ASKED
process(upload(Path(sys.argv[2]).read_bytes(), *ASKED), Context(resources=Resources(sys.argv[1])))
"""


def test_a_worker_killed_while_it_writes_leaves_nothing_visible_and_the_next_one_makes_it_whole(tmp_path: Path) -> None:
    objects, source = tmp_path / "objects", tmp_path / "source.jpg"
    source.write_bytes(drawing.encoded(coffee(), "jpeg"))
    assert _killed_in_the_middle(objects, source)
    room = Room(objects)
    assert any(path.startswith(STAGING) for path in room.files())
    assert list(room.store.list()) == []

    done = process(upload(source.read_bytes(), *ASKED), room.context)
    visible = {path for path in room.files() if not path.startswith(STAGING)}
    folder = done.variants[0].reference.rsplit("/", 1)[0]
    assert visible == {f"{folder}/{MANIFEST}"} | {made.reference for made in done.variants}
    assert len(visible) == 17


def _killed_in_the_middle(objects: Path, source: Path) -> bool:
    """Whether a worker could be stopped, and then killed, between its first file and its last; a few are tried."""
    return any(_kill(objects, source) for _ in range(10))


def _kill(objects: Path, source: Path) -> bool:
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", WORKER, objects, source], cwd=root) as worker:
        until_s = time.monotonic() + 60
        while worker.poll() is None and time.monotonic() < until_s:
            staged = list((objects / STAGING).glob("*/*.png"))
            if staged:
                os.kill(worker.pid, signal.SIGSTOP)
                break
            time.sleep(0.0005)
        visible = any(objects.glob("images/**/*.png"))
        worker.kill()
    return bool(staged) and not visible


def test_two_workers_on_one_image_leave_one_whole_set(tmp_path: Path) -> None:
    source = tmp_path / "source.jpg"
    source.write_bytes(drawing.encoded(coffee(), "jpeg"))
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", WORKER, tmp_path / "objects", source]
    workers = [subprocess.Popen(command, cwd=root) for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    files = Room(tmp_path / "objects").files()
    assert len(files) == 17
    assert not any(path.startswith(STAGING) for path in files)
