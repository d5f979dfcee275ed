"""A process that counts a log into a database until it is killed: `python -m tests.support.counting URL GROUP SEED`."""

import random
import sys

from consumers import analytics
from consumers.runtime.state import State
from tests.support.activity import START, Act, position, run

PARTITIONS = 3
RECORDS = 6_000


def log_of(seed: int, partition: int) -> list[Act]:
    """The same log for the same seed, in whichever process."""
    random_ = random.Random(seed * 100 + partition)
    return [
        Act(
            at_us=START + number * 40_000 - random_.randrange(90_000_000),
            kind=random_.choice(["view", "view", "click", "purchase"]),
            user=f"user-{random_.randrange(1_500)}",
            url=f"/{random_.randrange(80)}",
            duration_ms=int(random_.expovariate(0.01)),
        )
        for number in range(RECORDS)
    ]


def main() -> None:
    url, group, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    state = State(url, group=group)
    cut = random.SystemRandom()
    for partition in range(PARTITIONS):
        state.begin(position(partition), 0)
    logs = [log_of(seed, partition) for partition in range(PARTITIONS)]
    at = [state.start(position(partition)) or 0 for partition in range(PARTITIONS)]
    print("ready", flush=True)
    while any(at[partition] < RECORDS for partition in range(PARTITIONS)):
        partition = cut.choice([partition for partition in range(PARTITIONS) if at[partition] < RECORDS])
        acts = logs[partition][at[partition] : at[partition] + cut.randrange(1, 60)]
        run(state, analytics.roll_up, partition, acts, first=at[partition])
        at[partition] += len(acts)
    state.close()
    print("done", flush=True)


if __name__ == "__main__":
    main()
