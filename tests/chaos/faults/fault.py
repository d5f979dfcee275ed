"""What a fault is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.stage import Stage


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to do harm: a strike at some moments of the run, or a share of the load, or both.

    Attributes:
        strike: does it; returns when the next fault may come.
        times: how often it strikes where the command line does not say.
        wish: what a record of its share asks of its handler; "undecodable" spoils the record itself.
        share: the part of all records.
        agents: those that it needs beside `tasks` and `rows`.
        environ: what it asks of the workers' environment.
        brokers: the fewest brokers that it makes sense with.
        repeats: whether records may be handled again because of it: after a clean leave none may.
        sticks: whether a worker told to leave may be stuck in a handler, and end with code 70.
    """

    strike: "Callable[[Stage, Random], None] | None" = None
    times: int = 3
    wish: Callable[[Random], str] | None = None
    share: float = 0.0
    agents: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    brokers: int = 1
    repeats: bool = True
    sticks: bool = False
