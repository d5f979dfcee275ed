"""Order by key within one partition: which records may run now. Pure; knows no Kafka and no thread."""

import heapq
import sys
import zlib
from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from itertools import count

from consumers.runtime.agent import Order
from consumers.runtime.block import keys_of, offsets_of, pick
from consumers.runtime.lane_queue import LaneQueue
from consumers.runtime.record import Record

_WHOLE_PARTITION = "partition"
_ALL_LANES = -1


class Lanes:
    """Queues of records; one chunk of a lane runs at a time, so records of one key never overtake each other.

    A key that waits is parked with its later records, while the other keys of its lane go on: after a failure until its
    next attempt is due, and while it is held until the broker has acknowledged what came of its records so far.

    What comes is divided among the lanes only when it is taken for a lane: where records are brief, a chunk takes them as they
    came, and all lanes are busy with it. (Divided among 8 lanes an event costs 1.4 times as much, docs/performance.md.)

    Args:
        lanes: how many queues; a key's queue is crc32(key) % lanes (`hash` is salted per process).
        order: by key, or unordered.
        whole: the partition as one order: for batch handlers.
    """

    def __init__(self, *, lanes: int, order: Order, whole: bool = False) -> None:
        self._queues = [LaneQueue() for _ in range(1 if whole else lanes)]
        self._undivided = LaneQueue()
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

    def add(self, records: Sequence[Record]) -> None:
        """Queue records that were delivered, in offset order."""
        if len(self._queues) == 1:
            self._queues[0].append(records)
            self._mark(0)
        else:
            self._undivided.append(records)

    def take(self, limit: int, *, below: int | None = None, brief: bool = False) -> tuple[int, Sequence[Record]] | None:
        """The next chunk that may run, with its lane, which is busy until `release`; None when there is none.

        Args:
            limit: the most records of the chunk.
            below: during a drain, only offsets below this one.
            brief: whether the records take so little time that running them side by side is not worth dividing them.
        """
        if _ALL_LANES in self._busy:
            return None
        if brief and below is None and self._undivided and not self._ready and not self._busy:
            records = self._cut(self._undivided, limit, below)
            self._busy |= {_ALL_LANES} if records else set()
            return (_ALL_LANES, records) if records else None
        if self._undivided:
            self._divide()
        for _ in range(len(self._ready)):
            lane = self._ready.popleft()
            self._marked.discard(lane)
            records = self._cut(self._queues[lane], limit, below)
            if records:
                self._busy.add(lane)
                return lane, records
            self._mark(lane)
        return None

    def release(self, lane: int) -> None:
        """The lane's chunk is back."""
        self._busy.discard(lane)
        self._mark(lane)

    def put_back(self, records: Sequence[Record]) -> None:
        """Queue records again, before all others; parked keys stay parked. To be called before their lane is released.

        Only the order within a key counts, and what left a queue is older than what is in it.
        """
        if _ALL_LANES in self._busy:
            self._undivided.put_first(records)
            return
        for lane, of_lane in self._by_lane(records):
            self._queues[lane].put_first(of_lane)
            self._mark(lane)

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
    def may_run(self) -> bool:
        """Whether `take` may find something. It is asked of every partition in every turn, so it looks at no lane."""
        return bool(self._ready or self._undivided)

    @property
    def backing_off(self) -> int:
        """How many records wait for a key's next attempt, the one that failed among them."""
        return sum(len(self._parked.get(key, ())) for key in self._due_of)

    @property
    def queued(self) -> bool:
        """Whether a record could run as soon as there is room for it."""
        return bool(self._undivided) or any(self._queues)

    @property
    def holding_back(self) -> bool:
        """Whether an acknowledgement would let a record run that waits for it, or for room."""
        return self.queued or any(self._parked.get(key) for key in self._held)

    def waiting_below(self, offset: int) -> bool:
        """Whether a queued record, not a parked one, lies below the offset."""
        return any(queue.has_below(offset) for queue in (self._undivided, *self._queues))

    def key_of(self, record: Record) -> Hashable:
        """What the record's order goes by; records without a key, and unordered ones, have each their own."""
        if self._whole:
            return _WHOLE_PARTITION
        return record.offset if record.key is None or self._order is Order.UNORDERED else record.key

    def _keys_of(self, records: Sequence[Record]) -> list[Hashable]:
        """`key_of` of each."""
        if self._whole:
            return [_WHOLE_PARTITION] * len(records)
        if self._order is Order.UNORDERED:
            return [*offsets_of(records)]
        keys = keys_of(records)
        if None not in keys:
            return [*keys]
        return [offset if key is None else key for offset, key in zip(offsets_of(records), keys, strict=True)]

    def _lanes_of(self, keys: Sequence[bytes | None]) -> list[int]:
        """The lane of each key; whatever has no order of its own takes the next in turn."""
        lanes = len(self._queues)
        if self._order is Order.BY_KEY and None not in keys:
            crc = zlib.crc32
            return [crc(key) % lanes for key in keys if key is not None]
        return [self._lane_of(key) for key in keys]

    def _lane_of(self, key: bytes | None) -> int:
        if len(self._queues) == 1:
            return 0
        if key is not None and self._order is Order.BY_KEY:
            return zlib.crc32(key) % len(self._queues)
        self._next = (self._next + 1) % len(self._queues)
        return self._next

    def _unpark(self, key: Hashable) -> None:
        records = self._parked.pop(key)
        if records:
            self.put_back(records)

    def _divide(self) -> None:
        """Give each lane its own of what has come."""
        for lane, of_lane in self._by_lane(self._undivided.take(sys.maxsize)):
            self._queues[lane].append(of_lane)
            self._mark(lane)

    def _by_lane(self, records: Sequence[Record]) -> Iterator[tuple[int, Sequence[Record]]]:
        indexes: dict[int, list[int]] = {}
        for index, lane in enumerate(self._lanes_of(keys_of(records))):
            indexes.setdefault(lane, []).append(index)
        for lane in sorted(indexes):
            yield lane, pick(records, indexes[lane])

    def _mark(self, lane: int) -> None:
        if lane >= 0 and lane not in self._marked and lane not in self._busy and self._queues[lane]:
            self._marked.add(lane)
            self._ready.append(lane)

    def _cut(self, queue: LaneQueue, limit: int, below: int | None) -> Sequence[Record]:
        """The queue's next records; those of parked keys join what is parked."""
        while records := queue.take(limit) if below is None else queue.take_below(below, limit):
            if not self._parked:
                return records
            keys = self._keys_of(records)
            free = [index for index, key in enumerate(keys) if key not in self._parked]
            if len(free) < len(records):
                for record, key in zip(records, keys, strict=True):
                    if key in self._parked:
                        self._parked[key].append(record)
            if free:
                return pick(records, free)
        return []


def _in_order(some: Sequence[Record], others: Sequence[Record]) -> list[Record]:
    return sorted([*some, *others], key=lambda record: record.offset)
