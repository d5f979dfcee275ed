"""libvips, set up once for untrusted input."""

import functools
from typing import Any

from schemas.errors import MissingExtraError

LOADERS = {"jpeg": "Jpeg", "png": "Png", "webp": "Webp", "avif": "Heif", "gif": "Nsgif"}
"""The formats that are read, with libvips' class of the loader."""


@functools.cache
def load_vips() -> Any:
    """The module pyvips: five loaders are open, every other is blocked for this process.

    One thread an operation, since the agent's own processes fill the cores; no operation cache, since no image comes
    twice and what it keeps is a user's data.

    Raises:
        MissingExtraError: when pyvips or its libvips is not installed.
    """
    try:
        import pyvips
    except (ImportError, OSError) as error:
        raise MissingExtraError("images", "pyvips") from error
    pyvips.concurrency_set(1)
    pyvips.cache_set_max(0)
    pyvips.block_untrusted_set(state=True)
    pyvips.operation_block_set("VipsForeignLoad", state=True)
    for loader in LOADERS.values():
        pyvips.operation_block_set(f"VipsForeignLoad{loader}", state=False)
    return pyvips


def vips_version() -> str:
    """The version of libvips, such as "8.18.7"."""
    pyvips = load_vips()
    return ".".join(str(pyvips.version(part)) for part in range(3))
