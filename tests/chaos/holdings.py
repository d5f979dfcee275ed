"""From a worker's log to when it held which partitions: the one thing that neither the ledger nor the commits tell."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from tests.chaos.evidence import NEVER_NS

Holding = tuple[int, int]
"""From when, and until when, in ns since the epoch; NEVER_NS for one that no revocation has ended."""

_LINE = re.compile(r'^(\S+)Z \w+ +(assigned|revoked|lost) +agent=(\S+) partitions=(?:"([^"]*)"|\S+)$', re.MULTILINE)


def holdings(log: str, *, agent: str, topic: str) -> Mapping[int, list[Holding]]:
    """When the worker held which partitions of a topic, in order, by its lines `assigned`, `revoked` and `lost`.

    Args:
        log: the worker's.
        agent: whose group.
        topic: the broker's name.
    """
    found: dict[int, list[Holding]] = defaultdict(list)
    of_topic = re.compile(rf"(?:^| ){re.escape(topic)}\[([\d,]+)\]")
    for at, event, of_agent, told in _LINE.findall(log):
        partitions = of_topic.search(told) if of_agent == agent else None
        at_ns = int(datetime.fromisoformat(f"{at}+00:00").timestamp() * 1_000_000) * 1000
        for partition in map(int, partitions[1].split(",") if partitions else ()):
            if event == "assigned":
                found[partition].append((at_ns, NEVER_NS))
            elif found[partition]:
                found[partition][-1] = (found[partition][-1][0], at_ns)
    return found
