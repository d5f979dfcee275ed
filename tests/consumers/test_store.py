"""One contract for every kind of object store: a folder, memory, and a real S3."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.errors import Unavailable
from consumers.object_paths import InvalidPathError, checked
from consumers.staging import STAGING
from consumers.store import (
    MANIFEST,
    ObjectNotFoundError,
    ObjectStore,
    ObjectTooLargeError,
    open_store,
)
from schemas.errors import ConfigurationError
from tests.support.s3 import S3, serve

PAIR = {"one.txt": b"first", "two.txt": b"second"}
OUTSIDE = ["", "/etc/passwd", "../secret", "a/../../b", "a//b", "a/", ".hidden/x", "a/./b", "a\\..\\b", "a\nb", "a\0b"]
WRITER = """
import itertools, sys
from consumers.store import open_store
store = open_store(sys.argv[1])
objects = {f"{number}.bin": bytes([number]) * 400_000 for number in range(12)}
print("ready", flush=True)
for number in itertools.count():
    store.put_all(f"sets/{number}", objects)
"""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with serve(tmp_path_factory.mktemp("s3") / "buckets") as server:
        (server.folder / "bucket").mkdir()
        yield server


@pytest.fixture
def s3_url(s3: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    for name, value in s3.environ.items():
        monkeypatch.setenv(name, value)
    return f"s3://bucket/{tmp_path.name}/deep"


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return open_store(str(tmp_path / "objects"))
    return open_store("memory://" if request.param == "memory" else request.getfixturevalue("s3_url"))


def test_what_was_put_is_read_back(store: ObjectStore) -> None:
    store.put("photos/my photo (1).jpg", b"\0bytes\xff")
    assert store.get("photos/my photo (1).jpg") == b"\0bytes\xff"
    assert store.exists("photos/my photo (1).jpg")


def test_a_second_put_replaces_the_first(store: ObjectStore) -> None:
    store.put("a", b"old")
    store.put("a", b"new")
    assert store.get("a") == b"new"


def test_what_was_never_put_is_not_found(store: ObjectStore) -> None:
    store.put("file", b"x")
    for path in ("nothing", "file/below"):
        assert not store.exists(path)
        with pytest.raises(ObjectNotFoundError, match=path):
            store.get(path)


def test_a_folder_is_no_object(store: ObjectStore) -> None:
    store.put("a/b", b"x")
    assert not store.exists("a")
    with pytest.raises(ObjectNotFoundError):
        store.get("a")


def test_an_object_over_the_bound_is_not_read(store: ObjectStore) -> None:
    store.put("big", b"12345")
    assert store.get("big", max_bytes=5) == b"12345"
    with pytest.raises(ObjectTooLargeError, match="5 bytes, more than the 4"):
        store.get("big", max_bytes=4)


def test_delete_removes_and_may_come_twice(store: ObjectStore) -> None:
    store.put("a", b"x")
    store.delete("a")
    store.delete("a")
    assert not store.exists("a")


def test_list_names_what_is_below_a_folder_in_order(store: ObjectStore) -> None:
    for path in ("b/2", "b/1", "bc/3", "a"):
        store.put(path, b"x")
    assert list(store.list("b")) == ["b/1", "b/2"]
    assert list(store.list()) == ["a", "b/1", "b/2", "bc/3"]


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_store(store: ObjectStore, path: str) -> None:
    for act in (store.get, store.exists, store.delete, lambda path: store.put(path, b"x")):
        with pytest.raises(InvalidPathError):
            act(path)
    assert list(store.list()) == []


def test_a_set_is_visible_with_all_its_objects(store: ObjectStore) -> None:
    stored = store.put_all("sets/a", PAIR)
    assert store.members("sets/a") == stored
    assert {name: entry.size_bytes for name, entry in stored.items()} == {"one.txt": 5, "two.txt": 6}
    assert {name: store.get(f"sets/a/{name}") for name in stored} == PAIR


def test_a_set_that_stands_is_left_as_it_is(store: ObjectStore) -> None:
    first = store.put_all("sets/a", PAIR)
    assert store.put_all("sets/a", {"other.txt": b"later"}) == first
    assert not store.exists("sets/a/other.txt")


def test_a_set_without_its_manifest_does_not_exist_and_is_made_anew(store: ObjectStore) -> None:
    store.put("sets/a/one.txt", b"left by a writer that was killed")
    with pytest.raises(ObjectNotFoundError):
        store.members("sets/a")
    store.put_all("sets/a", PAIR)
    assert {name: store.get(f"sets/a/{name}") for name in store.members("sets/a")} == PAIR


@pytest.mark.parametrize("name", ["a/b", "../a", MANIFEST, ""])
def test_a_set_refuses_names_that_are_no_file_names(store: ObjectStore, name: str) -> None:
    with pytest.raises(InvalidPathError):
        store.put_all("sets/a", {"good": b"x", name: b"y"})
    assert list(store.list()) == []


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_a_writer_killed_in_the_middle_leaves_whole_sets_or_none(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = str(tmp_path / "objects") if kind == "folder" else request.getfixturevalue("s3_url")
    written = tmp_path / "objects" / STAGING
    if kind == "s3":
        server: S3 = request.getfixturevalue("s3")
        written = server.folder / "bucket" / tmp_path.name / "deep" / "sets"
    _kill_while_it_writes(url, written)
    store = open_store(url)
    whole = {path.rsplit("/", 1)[0] for path in store.list("sets") if path.endswith(MANIFEST)}
    for folder in whole:
        assert {len(store.get(f"{folder}/{name}")) for name in store.members(folder)} == {400_000}
        assert len(store.members(folder)) == 12
    halves = {path.rsplit("/", 1)[0] for path in store.list("sets")} - whole
    assert len(halves) == (1 if kind == "s3" else 0)
    if kind == "folder":
        assert any(written.iterdir())


def _kill_while_it_writes(url: str, written: Path) -> None:
    """Stop the writer, look whether it is in the middle of a set, and kill it there; else let it go on."""
    import signal

    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        until_s = time.monotonic() + 60
        while time.monotonic() < until_s:
            time.sleep(0.005)
            os.kill(writer.pid, signal.SIGSTOP)
            if _in_the_middle(written):
                break
            os.kill(writer.pid, signal.SIGCONT)
        writer.kill()


def _in_the_middle(written: Path) -> bool:
    sets = [folder for folder in written.iterdir() if folder.is_dir()] if written.is_dir() else []
    return any(any(one.iterdir()) and not (one / MANIFEST).exists() for one in sets)


def test_staged_files_are_never_listed(tmp_path: Path) -> None:
    (tmp_path / STAGING / "half").mkdir(parents=True)
    (tmp_path / STAGING / "half" / "one.txt").write_bytes(b"x")
    assert list(open_store(str(tmp_path)).list()) == []


def test_what_a_killed_writer_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    for name, age_s in (("old", 7_200), ("young", 60)):
        (tmp_path / STAGING / name).mkdir(parents=True)
        os.utime(tmp_path / STAGING / name, (time.time() - age_s,) * 2)
    open_store(str(tmp_path)).put_all("sets/a", PAIR)
    assert [path.name for path in (tmp_path / STAGING).iterdir()] == ["young"]


def test_a_folder_can_be_given_as_a_file_url(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path}/my%20objects").put("a", b"x")
    assert (tmp_path / "my objects" / "a").read_bytes() == b"x"


def test_a_disk_that_takes_no_more_is_unavailable_and_leaves_nothing_visible(tmp_path: Path) -> None:
    """The limit on file sizes stands for the full disk: it is the failing write that a test may cause."""
    script = """
import resource, sys
from consumers.errors import Unavailable
from consumers.store import open_store
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
store = open_store(sys.argv[1])
for write in (lambda: store.put("a", bytes(5000)), lambda: store.put_all("set", {"small": b"x", "z": bytes(5000)})):
    try:
        write()
    except Unavailable as error:
        print(error.dependency)
"""
    ran = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("object-store\nobject-store\n", "")
    assert list(open_store(str(tmp_path)).list()) == []


def test_a_folder_that_cannot_be_made_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="object-store is unavailable: /dev/null/objects"):
        open_store("/dev/null/objects")


def test_an_s3_that_is_down_a_missing_bucket_and_a_wrong_key_are_unavailable(
    s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store("s3://no-such-bucket")
    for act in (lambda: store.get("a"), lambda: store.put("a", b"x"), lambda: list(store.list())):
        with pytest.raises(Unavailable, match="s3://no-such-bucket"):
            act()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    with pytest.raises(Unavailable, match="403"):
        open_store(s3_url).get("a")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(Unavailable):
        open_store(s3_url).get("a")


@pytest.mark.parametrize("url", ["ftp://host/x", "s3://", "s3:///prefix"])
def test_a_url_of_no_known_kind_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="HEADRACE_STORE_URL"):
        open_store(url)


@given(st.text())
def test_a_path_that_passes_stays_below_its_root(path: str) -> None:
    try:
        parts = Path("/root", checked(path)).parts
    except InvalidPathError:
        return
    assert parts[:2] == ("/", "root")
    assert not any(part.startswith(".") for part in parts)
    assert "/".join(parts[2:]) == path
