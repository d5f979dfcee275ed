"""Paths of objects: what may be one.

A path is relative, its parts divided by "/"; a part is made of letters, digits, space and `_ . + = @ ( ) , ~ -`, and
begins with a letter, a digit or `_`. So no path leads out of the store, and none meets the store's own staging folder.
"""

import re

from schemas.errors import HeadraceError

_MAX_PATH_BYTES = 900
"""S3 allows 1,024 bytes for the key; the rest is left to the store's own prefix."""
_MAX_PART_BYTES = 200
"""File systems allow 255 bytes; the rest is left to the suffix of a file that is being written."""
_PART = re.compile(r"\w(?:[\w .+=@(),~-]*[\w+=@(),~-])?")


class InvalidPathError(HeadraceError):
    """Raised when a path is not one that this store could hold; no retry can heal it."""


def checked(path: str) -> str:
    """The path, if a store can hold it.

    Raises:
        InvalidPathError: saying what is wrong with it.
    """
    parts = path.split("/")
    whole = len(path.encode(errors="replace")) <= _MAX_PATH_BYTES
    if whole and all(_PART.fullmatch(part) and len(part.encode()) <= _MAX_PART_BYTES for part in parts):
        return path
    raise InvalidPathError(
        f"{path[:100]!r} is no path of an object: it must be relative, without empty parts or parts that begin with a "
        f"dot, of letters, digits, space and _.+=@(),~- only, at most {_MAX_PATH_BYTES} bytes"
    )
