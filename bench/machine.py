"""What machine and which versions a figure was made with."""

import importlib.metadata
import os
import platform
import subprocess
from datetime import UTC, datetime
from typing import Any

from bench import rabbitmq
from bench.environments import REQUIREMENTS, ROOT
from devstack.download import KAFKA_VERSION

_PACKAGES = ("headrace", "confluent-kafka", "fastavro", "polars", "msgspec")


def about() -> dict[str, Any]:
    """Machine, versions and date."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = {package: importlib.metadata.version(package) for package in _PACKAGES}
    return {
        "machine": f"{os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.system()}, Python {platform.python_version()}",
        "versions": {
            **versions,
            "kafka": KAFKA_VERSION,
            "rabbitmq": rabbitmq.version(),
            **_peers(),
            "commit": commit(),
        },
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _peers() -> dict[str, str]:
    """The versions that the peers' environments pin."""
    pins = (pin.partition("==") for pins in REQUIREMENTS.values() for pin in pins)
    return {name.partition("[")[0]: version for name, _, version in pins if not name.startswith("fastavro")}


def commit() -> str:
    """The commit that is checked out."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "an unknown commit"
