"""What a run is asked to do: parsed once, frozen, and enough to repeat the run."""

import argparse
from dataclasses import dataclass, fields
from typing import Any

from tests.chaos.faults import FAULTS

_DESCRIPTION = "Attack real workers on a real Kafka, and check that no promise of delivery is broken."
_EPILOG = """\
examples:
  python -m tests.chaos --seed 7 --messages 100000 --kills 100
  python -m tests.chaos --messages 20000 --fault kill:20,poison
  python -m tests.chaos --messages 5000 --brokers 3 --fault leader,broker,network
  python -m tests.chaos --messages 3000 --kills 3 --mutate commit-the-position
  python -m tests.chaos --prove

the last line of stdout is one JSON object; exit 0 only if every invariant held
"""


@dataclass(frozen=True, slots=True)
class Options:
    """One run.

    Attributes:
        seed: the load, the faults and their order derive from it alone.
        messages: how many records are sent.
        rate: records a second; 0 for as fast as it goes.
        faults: how often each fault strikes; 0 for those that are part of the load.
        database: what holds the rows: "sqlite" or "postgres", a real server of the run's own.
        reset: the agents' policy where a commit no longer fits its log.
        load: "tasks", or "activity" for the real analytics agent.
        redrive: whether, at the end, the handlers are mended and all dead letters redriven.
        strict_redo: whether a kill may repeat no more than what ran and what ended within one commit interval.
        recovery_s: the bound of I6.
        patience_s: how long the run waits, at the end, for the last record.
    """

    seed: int = 7
    messages: int = 10_000
    rate: int = 1_000
    keys: int = 1_000
    brokers: int = 1
    workers: int = 3
    partitions: int = 8
    faults: tuple[tuple[str, int], ...] = ()
    load: str = "tasks"
    database: str = "sqlite"
    reset: str = "stop"
    mutation: str | None = None
    session_ms: int = 3_000
    deadline_s: int = 4
    max_in_flight: int = 2_000
    redrive: bool = False
    strict_redo: bool = False
    recovery_s: float = 30.0
    patience_s: float = 90.0

    @property
    def names(self) -> frozenset[str]:
        """The faults of this run."""
        return frozenset(name for name, _ in self.faults)

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents that this run needs; child processes cost the most, so only where a fault is theirs."""
        if self.load == "activity":
            return ("analytics",)
        return ("tasks", "rows", *sorted({agent for name in self.names for agent in FAULTS[name].agents}))

    @property
    def command(self) -> str:
        """What repeats this run."""
        told = [f"--{field.name.replace('_', '-')} {getattr(self, field.name)}" for field in _told(self)]
        faults = ",".join(f"{name}:{times}" if times else name for name, times in self.faults)
        flags = [f"--fault {faults}"] if faults else []
        flags += [f"--mutate {self.mutation}"] if self.mutation else []
        flags += ["--redrive"] if self.redrive else []
        flags += ["--strict-redo"] if self.strict_redo else []
        return " ".join(["python -m tests.chaos", *told, *flags])


def _told(options: Options) -> list[Any]:
    """The fields that differ from their defaults, and the seed."""
    apart = {"faults", "mutation", "redrive", "strict_redo"}
    return [
        field
        for field in fields(options)
        if field.name not in apart and (field.name == "seed" or getattr(options, field.name) != field.default)
    ]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    default = Options()
    made = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in (
        "seed",
        "messages",
        "rate",
        "keys",
        "workers",
        "partitions",
        "session-ms",
        "deadline-s",
        "max-in-flight",
    ):
        made.add_argument(f"--{name}", type=int, default=getattr(default, name.replace("-", "_")))
    made.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    made.add_argument("--kills", type=int, default=0, help="short for --fault kill:N")
    made.add_argument("--fault", default="", help=f"separated by commas, each with :times; of {', '.join(FAULTS)}")
    made.add_argument("--load", choices=("tasks", "activity"), default="tasks")
    made.add_argument(
        "--database", choices=("sqlite", "postgres"), default=default.database, help="what holds the rows"
    )
    made.add_argument(
        "--reset", choices=("stop", "earliest"), default=default.reset, help="of a commit that fits no log"
    )
    made.add_argument("--recovery-s", type=float, default=default.recovery_s, help="bound of I6")
    made.add_argument("--patience-s", type=float, default=default.patience_s)
    made.add_argument(
        "--redrive", action="store_true", help="at the end mend the handlers, and redrive all dead letters"
    )
    made.add_argument("--strict-redo", action="store_true", help="bound what a kill may repeat")
    made.add_argument("--mutate", dest="mutation", metavar="NAME", help="switch a named fault of the runtime on")
    made.add_argument("--mutations", action="store_true", help="list them, with the faults that expose each")
    made.add_argument("--prove", nargs="?", const="", metavar="NAMES", help="run each mutation; all must go red")
    return made


def options_of(given: argparse.Namespace) -> Options:
    """The run that a command line asks for.

    Raises:
        ValueError: for a fault that there is none of.
    """
    faults = [_fault(text) for text in given.fault.split(",") if text.strip()]
    if given.kills:
        faults = [("kill", given.kills), *[fault for fault in faults if fault[0] != "kill"]]
    chosen = {field.name: getattr(given, field.name) for field in fields(Options) if field.name != "faults"}
    return Options(**chosen, faults=tuple(faults))


def _fault(text: str) -> tuple[str, int]:
    name, _, times = text.strip().partition(":")
    if name not in FAULTS:
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
    strikes = FAULTS[name].strike is not None
    return name, int(times or FAULTS[name].times) if strikes else 0
