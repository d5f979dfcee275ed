"""The effect ledger: one appended line a handling, outside Kafka, so that no broker's word is taken for what was done."""

import os
from dataclasses import dataclass
from pathlib import Path

FOLDER = "ledger"
VARIABLE = "CHAOS_LEDGER"
"""Names the folder to the workers."""
_END_BYTES = 64 * 1024
"""Some 600 handlings."""
_open: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Handling:
    """One handling of one record, when it ended; the order in the ledger is the order in which they ended.

    Attributes:
        intact: whether the payload had the digest that the producer computed.
    """

    number: int
    key: str
    sequence: int
    attempt: int
    pid: int
    partition: int
    offset: int
    started_ns: int
    ended_ns: int
    intact: bool


def note(agent: str, handling: Handling) -> None:
    """Append a line by one write(2): with O_APPEND the kernel neither mixes nor tears the lines of several processes."""
    os.write(_file_of(agent), line_of(handling).encode())


def line_of(handling: Handling) -> str:
    """A handling as its line."""
    h = handling
    return f"{h.number} {h.key} {h.sequence} {h.attempt} {h.pid} {h.partition} {h.offset} {h.started_ns} {h.ended_ns} {int(h.intact)}\n"


def read(folder: Path, agent: str) -> list[Handling]:
    """Every handling of an agent, in the order in which they ended."""
    file = folder / agent
    return [_handling(line) for line in file.read_text().splitlines()] if file.exists() else []


def last_pid(folder: Path, agent: str, partition: int) -> int | None:
    """The process that handled a record of the partition last, as far as the ledger's end tells."""
    file = folder / agent
    if not file.exists():
        return None
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _END_BYTES))
        lines = opened.read().decode().splitlines()[1:]
    return next((h.pid for h in map(_handling, reversed(lines)) if h.partition == partition), None)


def _handling(line: str) -> Handling:
    number, key, *rest = line.split()
    sequence, attempt, pid, partition, offset, started_ns, ended_ns, intact = map(int, rest)
    return Handling(
        int(number), key, sequence, attempt, pid, partition, offset, started_ns, ended_ns, intact=bool(intact)
    )


def _file_of(agent: str) -> int:
    """The agent's file, opened once a process."""
    if agent not in _open:
        path = Path(os.environ[VARIABLE]) / agent
        _open[agent] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    return _open[agent]
