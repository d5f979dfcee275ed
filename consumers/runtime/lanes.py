"""Order by key within one partition: which records may run now. Pure; knows no Kafka and no thread."""

import heapq
import zlib
from collections import deque
from collections.abc import Hashable, Iterable
from itertools import count

from consumers.runtime.agent import Order
from consumers.runtime.record import Record

_WHOLE_PARTITION = "partition"


class Lanes:
    """Queues of records; one chunk of a lane runs at a time, so records of one key never overtake each other.

    A key that waits is parked with its later records, while the other keys of its lane go on: after a failure until its
    next attempt is due, and while it is held until the broker has acknowledged what came of its records so far.

    Args:
        lanes: how many queues; a key's queue is crc32(key) % lanes (`hash` is salted per process).
        order: by key, or unordered.
        whole: the partition as one order: for batch handlers.
    """

    def __init__(self, *, lanes: int, order: Order, whole: bool = False) -> None:
        self._queues: list[deque[Record]] = [deque() for _ in range(1 if whole else lanes)]
        self._order = order
        self._whole = whole
        self._busy: set[int] = set()
        self._ready: deque[int] = deque()
        self._marked: set[int] = set()
        self._parked: dict[Hashable, list[Record]] = {}
        self._held: set[Hashable] = set()
        self._due_of: dict[Hashable, float] = {}
        self._due: list[tuple[float, int, Hashable]] = []
        self._ties = count()
        self._next = 0

    def add(self, records: Iterable[Record]) -> None:
        """Queue records that were delivered, in offset order."""
        if len(self._queues) == 1:
            self._queues[0].extend(records)
            self._mark(0)
            return
        queues, lanes = self._queues, len(self._queues)
        by_key = self._order is Order.BY_KEY
        touched = set()
        for record in records:
            key = record.key
            lane = zlib.crc32(key) % lanes if by_key and key is not None else self._lane_of(record)
            queues[lane].append(record)
            touched.add(lane)
        for lane in sorted(touched):
            self._mark(lane)

    def take(self, limit: int, *, below: int | None = None) -> tuple[int, list[Record]] | None:
        """The next chunk that may run, with its lane, which is busy until `release`; None when there is none.

        Args:
            limit: the most records of the chunk.
            below: during a drain, only offsets below this one.
        """
        for _ in range(len(self._ready)):
            lane = self._ready.popleft()
            self._marked.discard(lane)
            records = self._cut(lane, limit, below)
            if records:
                self._busy.add(lane)
                return lane, records
            self._mark(lane)
        return None

    def release(self, lane: int) -> None:
        """The lane's chunk is back."""
        self._busy.discard(lane)
        self._mark(lane)

    def put_back(self, lane: int, records: list[Record]) -> None:
        """Queue records of a released chunk again, before all others of the lane; parked keys stay parked."""
        self._put_first(lane, records)

    def park(self, records: list[Record], *, until_s: float) -> None:
        """Keep a failed record, and later ones of its key, until the time comes.

        Args:
            records: of one key, in offset order; the first is the one that failed. A key that is parked already keeps its
                order and waits for the later of both times.
            until_s: on the clock of `time.monotonic()`.
        """
        key = self.key_of(records[0])
        self._parked[key] = _in_order(records, self._parked.get(key, []))
        self._due_of[key] = max(until_s, self._due_of.get(key, until_s))
        heapq.heappush(self._due, (self._due_of[key], next(self._ties), key))

    def wake(self, now_s: float) -> None:
        """Queue again what is due."""
        while self._due and self._due[0][0] <= now_s:
            due_s, _, key = heapq.heappop(self._due)
            if self._due_of.get(key) != due_s:
                continue  # parked again since, until later
            del self._due_of[key]
            if key not in self._held:
                self._unpark(key)

    def hold(self, record: Record) -> None:
        """Run no later record of this one's key until `unhold`; a record without order of its own holds nothing back."""
        if self._whole or (record.key is not None and self._order is Order.BY_KEY):
            key = self.key_of(record)
            self._held.add(key)
            self._parked.setdefault(key, [])

    def unhold(self, record: Record) -> None:
        """Go on with the records of this one's key, unless it failed meanwhile and waits for its next attempt."""
        key = self.key_of(record)
        if key in self._held:
            self._held.discard(key)
            if key not in self._due_of:
                self._unpark(key)

    @property
    def queued(self) -> bool:
        """Whether a record could run as soon as there is room for it."""
        return any(self._queues)

    def waiting_below(self, offset: int) -> bool:
        """Whether a queued record, not a parked one, lies below the offset."""
        return any(record.offset < offset for queue in self._queues for record in queue)

    def key_of(self, record: Record) -> Hashable:
        """What the record's order goes by; records without a key, and unordered ones, have each their own."""
        if self._whole:
            return _WHOLE_PARTITION
        return record.offset if record.key is None or self._order is Order.UNORDERED else record.key

    def _lane_of(self, record: Record) -> int:
        if self._whole:
            return 0
        if record.key is not None and self._order is Order.BY_KEY:
            return zlib.crc32(record.key) % len(self._queues)
        self._next = (self._next + 1) % len(self._queues)
        return self._next

    def _unpark(self, key: Hashable) -> None:
        records = self._parked.pop(key)
        if records:
            self._put_first(self._lane_of(records[0]), records)

    def _put_first(self, lane: int, records: list[Record]) -> None:
        """Before what waits in the lane. Only the order within a key counts, and what left the queue is older than what is in it."""
        self._queues[lane].extendleft(reversed(records))
        self._mark(lane)

    def _mark(self, lane: int) -> None:
        if lane not in self._marked and lane not in self._busy and self._queues[lane]:
            self._marked.add(lane)
            self._ready.append(lane)

    def _cut(self, lane: int, limit: int, below: int | None) -> list[Record]:
        if below is not None:  # what was put back may lie across each other
            self._queues[lane] = deque(_in_order(self._queues[lane], ()))
        queue, records = self._queues[lane], list[Record]()
        if below is None and not self._parked:
            return [queue.popleft() for _ in range(min(limit, len(queue)))]
        while queue and len(records) < limit and (below is None or queue[0].offset < below):
            record = queue.popleft()
            key = self.key_of(record) if self._parked else None
            if key is not None and key in self._parked:
                self._parked[key].append(record)
            else:
                records.append(record)
        return records


def _in_order(some: Iterable[Record], others: Iterable[Record]) -> list[Record]:
    return sorted([*some, *others], key=lambda record: record.offset)
