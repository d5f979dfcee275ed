"""From an exception to a failure as data."""

import traceback
from collections.abc import Mapping

import msgspec

from consumers.errors import FencedError, Reject, Retry, Unavailable
from consumers.runtime.record import Failed, FailureKind
from schemas.errors import (
    ConfigurationError,
    DecodeError,
    InvalidEventError,
    MissingExtraError,
    SchemaIdUnknownError,
    UnreachableError,
)

MESSAGE_BYTES = 1024
TRACEBACK_BYTES = 8 * 1024
"""Bounds of what a dead letter's headers may add, so that a dead letter always fits its topic."""

_KINDS: tuple[tuple[type[BaseException], FailureKind], ...] = (
    (Reject, "rejected"),
    (Retry, "retry"),
    (Unavailable, "unavailable"),
    (UnreachableError, "unavailable"),
    (SchemaIdUnknownError, "unknown-schema"),
    (DecodeError, "undecodable"),
    (InvalidEventError, "rejected"),
    (FencedError, "fenced"),
    (ConfigurationError, "misconfigured"),
    (MissingExtraError, "misconfigured"),
)


def failure_of(error: BaseException, *, elapsed_us: int = 0) -> Failed:
    """The failure that an exception stands for; what nobody meant to raise is "unexpected"."""
    kind: FailureKind = next((kind for known, kind in _KINDS if isinstance(error, known)), "unexpected")
    text = "" if kind in {"rejected", "undecodable"} else "".join(traceback.format_exception(error))
    return Failed(
        kind=kind,
        error_class=type(error).__name__,
        message=bounded(str(error), MESSAGE_BYTES),
        traceback=bounded_end(text, TRACEBACK_BYTES),
        bases=tuple(base.__name__ for base in type(error).__mro__[:-2]),
        after_s=error.after_s if isinstance(error, Retry) else None,
        elapsed_us=elapsed_us,
        dependency=_dependency_of(error),
    )


def of_dependency(failure: Failed, dependencies: Mapping[str, str]) -> Failed:
    """The failure; of an exception whose class, or a base of it, the catalogue maps to a dependency: that dependency's."""
    known = [dependencies[base] for base in failure.bases if base in dependencies]
    if failure.kind != "unexpected" or not known:
        return failure
    return msgspec.structs.replace(failure, kind="unavailable", dependency=known[0])


def _dependency_of(error: BaseException) -> str:
    if isinstance(error, Unavailable):
        return error.dependency
    return "schema-registry" if isinstance(error, UnreachableError) else ""


def overrun(deadline_s: float) -> Failed:
    """The failure of a record that ran past its deadline."""
    return Failed(
        kind="deadline",
        error_class="DeadlineExceeded",
        message=f"the handler ran past its deadline of {deadline_s:g} s",
        elapsed_us=int(deadline_s * 1_000_000),
    )


def kept_waiting(dependency: str, limit_s: float) -> Failed:
    """The failure of a record whose handler could not begin: what it stands on did not answer for so long."""
    return failure_of(Unavailable(dependency, f"no answer within {limit_s:g} s"))


PROCESS_DIED = "ProcessDied"
"""The error class of a record whose child process died."""


def died(exit_code: int | None) -> Failed:
    """The failure of a record whose child process ended while the record ran."""
    how = f"by signal {-exit_code}" if exit_code is not None and exit_code < 0 else f"with exit code {exit_code}"
    return Failed(kind="died", error_class=PROCESS_DIED, message=f"the handler's process ended {how}")


def bounded(text: str, most_bytes: int) -> str:
    """The text's beginning, of at most so many bytes in UTF-8."""
    return text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore")


def bounded_end(text: str, most_bytes: int) -> str:
    """The text's end, of at most so many bytes in UTF-8: of a traceback the last lines tell most."""
    return text.encode("utf-8", "replace")[-most_bytes:].decode("utf-8", "ignore")
