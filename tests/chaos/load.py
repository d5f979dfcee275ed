"""The tasks of a run: from the seed and the task's number alone."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from schemas.codec import Codec
from schemas.event import now_us
from tests.chaos.agents import TASKS
from tests.chaos.faults import FAULTS
from tests.chaos.options import Options
from tests.chaos.poisons import POISONS
from tests.chaos.records import Task
from tests.chaos.wishes import is_poison

_SLOWEST_MS = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """What the checker must know of a record.

    Attributes:
        sequence: among those of its key that can be decoded; -1 for the others.
        wish: what its handler is to do.
        poison: which kind of undecodable bytes it is; None for a task.
        digest: SHA-256 of the payload.
        value_digest: SHA-256 of the record's value, byte for byte.
    """

    number: int
    key: str
    sequence: int
    wish: str
    poison: str | None
    digest: str
    value_digest: bytes

    def dies(self, agent: str) -> bool:
        """Whether the agent must dead-letter it."""
        return self.poison is not None or is_poison(self.wish, agent)


def tasks(options: Options, codec: Codec, *, topic: str) -> Iterator[tuple[Sent, bytes]]:
    """Each record of the run, with its bytes."""
    shares = [(name, FAULTS[name]) for name in sorted(options.names) if FAULTS[name].wish is not None]
    sequences: Counter[str] = Counter()
    for number in range(options.messages):
        random = Random(f"task/{options.seed}/{number}")
        key, work_ms = f"k{random.randrange(options.keys)}", random.randint(1, _SLOWEST_MS)
        wish = _wish(random, shares)
        payload = random.randbytes(random.randint(16, 200))
        sequence = sequences[key]
        digest = hashlib.sha256(payload).hexdigest()
        task = Task(
            number=number, task_key=key, sequence=sequence, occurred_at=now_us(), work_ms=work_ms, wish=wish,
            payload=payload, digest=digest,
        )  # fmt: skip
        value, poison = codec.encode(task, topic=topic), None
        if wish == "undecodable":
            poison = random.choice(sorted(POISONS))
            value = POISONS[poison](value, random)
        else:
            sequences[key] += 1
        sent = Sent(number, key, -1 if poison else sequence, wish, poison, digest, hashlib.sha256(value).digest())
        yield sent, value


def _wish(random: Random, shares: list[tuple[str, object]]) -> str:
    """At most one wish a task; each fault of the load has its share of them."""
    draw = random.random()
    for _, fault in shares:
        if draw < fault.share:  # type: ignore[attr-defined]
            return str(fault.wish(random))  # type: ignore[attr-defined]
        draw -= fault.share  # type: ignore[attr-defined]
    return ""


def source_topic(options: Options) -> str:
    """Where the load goes, in the catalogue's words."""
    return "activity.recorded" if options.load == "activity" else TASKS
