"""Downloads: none without need, none that is not what it should be, and a clear word where there is no network."""

import hashlib
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from devstack import download
from devstack.errors import UnavailableError

NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}


def up(data: Path, **environment: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "devstack", "up", "--port", "0", "--data", str(data)]
    variables = {**os.environ, **NO_NETWORK, **{name: str(value) for name, value in environment.items()}}
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=90, check=False)


def test_after_the_first_download_a_stack_comes_up_without_a_network(tmp_path: Path) -> None:
    download.kafka_jars()
    answer = up(tmp_path)
    subprocess.run([sys.executable, "-m", "devstack", "down", "--data", tmp_path], check=True, capture_output=True)
    assert answer.returncode == 0, answer.stderr
    assert "downloading" not in answer.stderr


def test_without_network_and_cache_the_error_says_what_to_do_instead(tmp_path: Path) -> None:
    answer = up(tmp_path / "data", HEADRACE_CACHE=tmp_path / "cache", M2_REPO=tmp_path / "m2")
    assert answer.returncode == 3
    assert "Apache Kafka 4.4.0 cannot be had" in answer.stderr
    assert "check the network" in answer.stderr
    assert "set KAFKA_BOOTSTRAP_SERVERS" in answer.stderr
    assert "docker compose up" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The URL of a file of 3 MB on a real HTTP server."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "file").write_bytes(b"x" * 3_000_000)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/file"
        server.shutdown()
        thread.join()


def test_a_download_with_the_right_hash_is_kept(served: str, tmp_path: Path) -> None:
    download.fetch(served, tmp_path / "kept", sha256=hashlib.sha256(b"x" * 3_000_000).hexdigest())
    assert (tmp_path / "kept").stat().st_size == 3_000_000


def test_a_download_with_another_hash_is_refused_and_removed(served: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="its SHA-256 is"):
        download.fetch(served, tmp_path / "bad", sha256="0" * 64)
    assert not (tmp_path / "bad").exists()


def test_a_file_that_is_not_there_is_an_error_with_a_remedy(served: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"404.*\n.*network.*\n.*KAFKA_BOOTSTRAP_SERVERS"):
        download.fetch(f"{served}-not", tmp_path / "none", sha256="")
