"""From plain values to a typed record, from any thread."""

import threading
from functools import cache
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_finding_out = threading.Lock()


def convert(value: Any, kind: type[T]) -> T:
    """What `msgspec.convert` makes of a value.

    When msgspec (0.22.0) meets a struct for the first time, it finds out about its fields, and another thread that converts to
    the same struct meanwhile crashes the process. Seen as a worker's SIGSEGV, once in four chaos runs of 100 kills.

    Raises:
        msgspec.ValidationError: if the value does not fit.
    """
    hashable: Any = kind  # as every class is, which mypy does not know of type[T]
    found: T = msgspec.convert(value, _known(hashable))
    return found


@cache
def _known(kind: Any) -> Any:
    """The same, once msgspec has found out about it and all within it."""
    with _finding_out:
        msgspec.msgpack.Decoder(kind)
    return kind
