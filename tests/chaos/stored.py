"""How far the analytics agent's transactions have come, beside its commits: what I4 and I6 ask of an exact agent."""

import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping

from consumers.database import Database
from consumers.errors import Unavailable
from streams.replay.windows import stands

_SETTLED_S = 0.2
"""So long after a kill nothing of the dead one's is still to be seen, and no session has ended yet."""
_S_NS = 1_000_000_000


class StoredOffsets:
    """The offsets that stand in the database, in the transactions of the rows; to be looked at right after the commits.

    Attributes:
        ahead: what breaks I4: a commit beyond what was stored even a moment later.
        samples: how often the database answered.
    """

    def __init__(self, database_url: str, group: str, topic_id: str) -> None:
        self._database = Database(database_url)
        self._group, self._topic_id = group, topic_id
        self._at_ns: list[int] = []
        self._offsets: list[dict[int, int]] = []
        self.ahead: list[str] = []
        self.samples = 0

    def look(self, committed: Mapping[int, int]) -> None:
        """Compare commits that were seen just now with what is stored; a database that is away has nothing to say."""
        try:
            found = stands(self._database, self._group, self._topic_id)
        except Unavailable:
            return
        self.samples += 1
        self.note({number: stand.next_offset for number, stand in found.items()}, committed, time.time_ns())

    def note(self, stored: dict[int, int], committed: Mapping[int, int], at_ns: int) -> None:
        """The same of offsets that were read."""
        self.ahead += [
            f"partition {number}: {offset} was committed, and the rows reach {stored.get(number, 0)}"
            for number, offset in committed.items()
            if offset > stored.get(number, 0)
        ]
        if not self._offsets or self._offsets[-1] != stored:
            self._at_ns.append(at_ns)
            self._offsets.append(stored)

    def recoveries_s(self, kills_ns: Iterable[int]) -> list[float]:
        """For I6: seconds from each kill until the last partition that had work was worked on again."""
        return [max(times) for killed_ns in kills_ns if (times := self._resumed_s(killed_ns))]

    def _resumed_s(self, killed_ns: int) -> list[float]:
        begin = bisect_right(self._at_ns, killed_ns + int(_SETTLED_S * _S_NS))
        before = self._offsets[begin - 1] if begin else {}
        moved: dict[int, float] = {}
        for at_ns, stored in zip(self._at_ns[begin:], self._offsets[begin:], strict=True):
            for number, offset in stored.items():
                if offset > before.get(number, 0):
                    moved.setdefault(number, (at_ns - killed_ns) / _S_NS)
        return list(moved.values())

    def close(self) -> None:
        """Leave the database."""
        self._database.close()
