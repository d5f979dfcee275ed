"""A record on its way through the runtime, and what came of it."""

from typing import Literal

import msgspec

from schemas.origin import Origin

Headers = tuple[tuple[str, bytes | None], ...]


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A consumed record, byte for byte, and how often it was tried.

    Attributes:
        topic: the topic's name on the broker.
        partition: from 0.
        offset: from 0.
        timestamp_ms: the record's timestamp in milliseconds since the epoch.
        key: as on the wire.
        value: as on the wire; None is a tombstone.
        headers: as on the wire, in order.
        attempt: 1 for the first.
        first_failure_ms: when it first failed, in milliseconds since the epoch; 0 if it never did.
        origin: of a record that came again by a retry topic, where it first stood, under the broker's name of the topic.
        redrives: how often an operator has sent it to its agent again.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    attempt: int = 1
    first_failure_ms: int = 0
    origin: Origin | None = None
    redrives: int = 0


class Result(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One encoded result, ready to be published."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()


FailureKind = Literal[
    "rejected",
    "undecodable",
    "unknown-schema",
    "retry",
    "unavailable",
    "unexpected",
    "deadline",
    "died",
    "fenced",
    "misconfigured",
]


class Handled(msgspec.Struct, frozen=True, gc=False, tag="handled"):
    """The handler returned; its results are still to be published."""

    results: tuple[Result, ...] = ()
    elapsed_us: int = 0


class Failed(msgspec.Struct, frozen=True, gc=False, tag="failed"):
    """The handler, or the way to it, failed: the failure as data, fit for a pipe and for a dead letter's headers.

    Attributes:
        kind: what sort of failure; `fate.decide` goes by it.
        error_class: the exception's class name.
        message: its text.
        traceback: formatted; empty where there is none.
        bases: names of the exception's class and of all its bases.
        after_s: the handler's own wish for the delay, in seconds.
        elapsed_us: time spent, in microseconds.
        dependency: what was unavailable; empty where that is the broker, or nothing.
    """

    kind: FailureKind
    error_class: str
    message: str
    traceback: str = ""
    bases: tuple[str, ...] = ()
    after_s: float | None = None
    elapsed_us: int = 0
    dependency: str = ""


class Held(msgspec.Struct, frozen=True, gc=False, tag="held"):
    """Not tried: a record before it in its order failed, or the chunk was called back."""


Outcome = Handled | Failed | Held
HELD = Held()

BRIEF = tuple(Handled((), elapsed_us) for elapsed_us in range(512))
"""What most records come to, by microseconds, made once: no result, and no time to speak of."""
