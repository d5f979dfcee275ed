"""Running a command as a user does: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.settings import Settings


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment that says what the settings say."""
    ours = ("KAFKA_", "HEADRACE_", "SCHEMA_REGISTRY_")
    rest = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    registry = {"SCHEMA_REGISTRY_URL": settings.registry_url} if settings.registry_url else {}
    return {
        **rest,
        **registry,
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "HEADRACE_PREFIX": settings.prefix,
        "HEADRACE_DATABASE_URL": settings.database_url,
        "HEADRACE_STORE_URL": settings.store_url,
        **more,
    }


def headrace(
    settings: Settings, *arguments: str | Path, given: str | bytes = b"", **more: str
) -> subprocess.CompletedProcess[str]:
    """`headrace …` with its exit code, stdout and stderr."""
    done = subprocess.run(
        command(*arguments),
        input=given.encode() if isinstance(given, str) else given,
        capture_output=True,
        env=environment(settings, **more),
        timeout=90,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def command(*arguments: str | Path) -> Sequence[str]:
    """The command line of `headrace …`."""
    return [sys.executable, "-m", "streams.cli", *map(str, arguments)]
