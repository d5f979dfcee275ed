"""A task queue works through its own messages of the same events, published before by its own client."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from bench import progress
from bench.errors import WrongCountsError
from bench.events import activities
from bench.ground import Ground
from bench.programs import PEERS, Program, watch

EVENTS = 30_000
"""As many as the slowest handles in the 20 seconds that a run may take, and a few seconds' work of the fastest."""
_SCRIPT_LIMIT_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A task queue.

    Attributes:
        environment: of its virtual environment.
        script: publishes and counts what is left.
        worker: the words of its worker.
        broker: starts what it stands on, and gives its URL.
    """

    environment: str
    script: str
    worker: tuple[str, ...]
    broker: Callable[[Path], AbstractContextManager[str]]


def run(ground: Ground, name: str, queue: Queue) -> float:
    """Events handled a second.

    The steps: 1. a broker of its own, 2. publish, 3. start, 4. all handled, or time is up, 5. stop, 6. check the counts.

    Raises:
        UnavailableContestantError: if something that it needs is missing, or it handles nothing.
        WrongCountsError: if an event is neither handled nor still queued.
    """
    folder = ground.folder_of(name)
    kinds = _write_events(folder / "events.jsonl", min(ground.events, EVENTS))
    with queue.broker(folder) as url:  # 1
        _script(queue, "publish", folder, url)  # 2
        program = Program(words=queue.worker, environment=queue.environment)
        with program.start(folder, broker=url, events=kinds.total()) as worker:  # 3
            reached = watch([worker], folder / "tally", kinds.total())  # 4
        end = progress.read(folder / "tally") or reached  # 5
        left = int(_script(queue, "leftovers", folder, url))
    if end.handled + left < kinds.total() or not end.kinds <= kinds:  # 6
        raise WrongCountsError(f"handled {dict(end.kinds)} of {dict(kinds)}, and {left:,} are left")
    return reached.events_per_s


def _write_events(path: Path, count: int) -> Counter[str]:
    """The events as JSON lines; how many there are of each kind."""
    events = list(islice(activities(count), count))
    path.write_bytes(b"".join(msgspec.json.encode(event) + b"\n" for event in events))
    return Counter(event.kind for event in events)


def _script(queue: Queue, verb: str, folder: Path, url: str) -> str:
    """Run the peer's own script in its own environment; what it prints."""
    program = Program(words=["python", queue.script, verb], environment=queue.environment)
    return program.output(folder, broker=url, cwd=PEERS, name=verb, limit_s=_SCRIPT_LIMIT_S)
