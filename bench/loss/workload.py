"""The seeded list of ids that every contestant gets."""

import random
from typing import NamedTuple

SEED = 5
UNDECODABLE = (b"\xff\xfe\xfd", b"{", b"\x00\x00\x00\x00\x07nothing", b"\xc3\x01 no such fingerprint", b"[1, 2")
"""Values that are neither JSON of the record nor Avro; for the Kafka contestants, since a task queue's own client writes its messages."""


class Item(NamedTuple):
    """One id, and what its handler does: "plain" passes, "poison" always raises, "transient" raises once."""

    item_id: str
    kind: str


def items(count: int, *, seed: int = SEED) -> list[Item]:
    """So many ids, 1 % of them poison and 1 % transient (at least one of each), the same for the same seed."""
    share = max(1, count // 100)
    chosen = random.Random(seed).sample(range(count), 2 * share)  # noqa: S311  reproducible, not secret
    kinds = dict.fromkeys(chosen[:share], "poison") | dict.fromkeys(chosen[share:], "transient")
    return [Item(f"id-{number:06}", kinds.get(number, "plain")) for number in range(count)]


def bad_keys() -> list[str]:
    """The keys under which the undecodable values travel."""
    return [f"bad-{number}" for number in range(len(UNDECODABLE))]
