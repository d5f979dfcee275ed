"""The executor of coroutines: a loop for all of them, and one aside for records that have blocked it before."""

from functools import partial

from consumers.runtime.chunk import Chunk
from consumers.runtime.executors.event_loop import EventLoop
from consumers.runtime.executors.protocol import Done
from consumers.runtime.record import Record
from consumers.runtime.work import Work

_REMEMBERED = 1_000
_Place = tuple[str, int, int]


class EventLoops:
    """Each record runs in the common loop, until its coroutine blocks that: then its next attempts run aside.

    A blocked loop costs all that runs in it a deadline, and a second. Seen without the loop aside: records that block at each
    attempt came back one after the other, each before a neighbour could end, and a partition stood still for 36.9 s.
    """

    def __init__(self, work: Work, *, concurrency: int, done: Done) -> None:
        self._make = partial(EventLoop, work, concurrency=concurrency, done=done)
        self._common = self._make()
        self._loops = [self._common]
        self._blockers: dict[_Place, None] = {}
        self.broken: BaseException | None = None

    @property
    def hung(self) -> int:
        """How many loops were given up and are still blocked."""
        return sum(loop.hung for loop in self._loops)

    @property
    def free(self) -> int:
        """Chunks that may be added; those aside take no room."""
        return self._common.free

    def start(self) -> None:
        """Start the common loop; the other one is made for the first that needs it."""
        self._common.start()

    def submit(self, chunk: Chunk) -> None:
        """Run the chunk; aside, where one of its records has blocked a loop."""
        if self._blockers and any(_place_of(record) in self._blockers for record in chunk.records):
            self._loops[-1].submit(chunk)
        else:
            self._common.submit(chunk)

    def running(self) -> list[Chunk]:
        """The chunks that run now."""
        return [chunk for loop in self._loops for chunk in loop.running()]

    def expire(self, now_s: float) -> None:
        """Give up a loop that is blocked, and remember by what; the first time, start the one aside."""
        blockers = [_place_of(record) for loop in self._loops for record in loop.expire(now_s)]
        if blockers and len(self._loops) == 1:
            self._loops.append(self._make())
            self._loops[-1].start()
        self._blockers |= dict.fromkeys(blockers)
        while len(self._blockers) > _REMEMBERED:
            self._blockers.pop(next(iter(self._blockers)))

    def cancel(self, chunk: Chunk) -> None:
        """Cancel the chunk's task."""
        if chunk.answer():
            for loop in self._loops:
                loop.drop(chunk)

    def close(self, limit_s: float) -> None:  # noqa: ARG002  a cancelled coroutine ends at once
        """Cancel what is left and stop the loops."""
        for chunk in self.running():
            self.cancel(chunk)
        for loop in self._loops:
            loop.stop()


def _place_of(record: Record) -> _Place:
    """Where it first stood: an unordered agent's comes back by a retry topic."""
    origin = record.origin or record
    return origin.topic, origin.partition, origin.offset
