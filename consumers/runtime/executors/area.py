"""Memory that a child process shares with its parent: a chunk's request goes there, and its outcomes come back.

One message a record would cost two system calls and a wake of the parent each. So the child only notes here what came of a
record, and the parent looks when the chunk is done, when a deadline may have come, or when the child has died. SIGKILL may come
between any two bytes; so a record is finished once its mark is set, four bytes in one store, and everything that the mark stands
for was written before it.

    started  8  a double on the clock of `time.monotonic()`: since when the record runs; below 0: since when the chunk is made
                ready; 0: nobody has begun with it
    flushed  8  how many bytes of the stream have gone through the pipe
    records  8
    request  8  how long it is
    marks    4 a record: 0 not finished; 1 + microseconds: handled without a result; HELD; or WRITTEN: its outcome is the next of
                the stream
    request
    stream      from byte `flushed` on: outcomes, each behind its length in 4 bytes
"""

import mmap
import os
import tempfile
import time
from collections.abc import Callable
from multiprocessing import reduction
from struct import Struct
from typing import Any

import msgspec

from consumers.runtime.record import BRIEF, HELD, Handled, Held, Outcome

AREA_BYTES = 2 * 1024 * 1024
"""Holds the request of a chunk of 4,000 records of 400 bytes; pages that nobody writes to take no memory."""
_HEAD_BYTES = 32
_MARK_BYTES = 4
_LEAST_STREAM_BYTES = 64 * 1024
_WRITTEN = 0xFFFF_FFFF
_HELD = 0xFFFF_FFFE
_LONGEST = _HELD - 1
_length = Struct("<I")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Outcome)


class Shared:
    """Anonymous memory that a process may be given when it is started.

    Args:
        size: in bytes.
        file: a file's descriptor, which is ours from now on; None for a new one.
    """

    def __init__(self, size: int, file: int | None = None) -> None:
        self._size = size
        self._file = _nameless(size) if file is None else file
        self.view = memoryview(mmap.mmap(self._file, size))

    def __reduce__(self) -> tuple[Any, ...]:
        """How multiprocessing hands it to the process that it starts: as a descriptor, never by a name."""
        return _received, (self._size, reduction.DupFd(self._file))

    def close_file(self) -> None:
        """It is handed over: the memory stays without its file."""
        os.close(self._file)


def _received(size: int, file: Any) -> Shared:
    shared = Shared(size, file.detach())
    shared.close_file()
    return shared


def _nameless(size: int) -> int:
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("headrace")
    else:
        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    os.ftruncate(file, size)
    return file


class Area:
    """The memory of one chunk, as both sides see it.

    Attributes:
        memory: all of it.
        times: `started`.
        numbers: `flushed`, `records`, `request`.
    """

    def __init__(self, memory: memoryview) -> None:
        self.memory = memory
        self.times = memory[:8].cast("d")
        self.numbers = memory[8:_HEAD_BYTES].cast("Q")

    @property
    def marks(self) -> memoryview:
        """One a record."""
        return self.memory[_HEAD_BYTES : self._request_at].cast("I")

    @property
    def request(self) -> memoryview | None:
        """The request; None where it was too long, and comes by the pipe."""
        request_bytes = self.numbers[2]
        return self.memory[self._request_at : self._request_at + request_bytes] if request_bytes else None

    @property
    def stream(self) -> memoryview:
        """What is left for outcomes."""
        return self.memory[self._request_at + self.numbers[2] :]

    @property
    def _request_at(self) -> int:
        return _HEAD_BYTES + _MARK_BYTES * self.numbers[1]

    def prepare(self, records: int, request: bytes) -> bool:
        """Lay it out for a chunk that nobody has begun with; whether the request stands in it.

        Raises:
            ValueError: for more records than it has room for.
        """
        room = len(self.memory) - _HEAD_BYTES - _MARK_BYTES * records - _LEAST_STREAM_BYTES
        if room < 0:
            raise ValueError(f"a chunk of {records} records is more than a child takes")
        fits = len(request) <= room
        self.times[0] = 0.0
        self.numbers[0], self.numbers[1], self.numbers[2] = 0, records, len(request) if fits else 0
        at = self._request_at
        self.memory[_HEAD_BYTES:at] = bytes(at - _HEAD_BYTES)
        if fits:
            self.memory[at : at + len(request)] = request
        return fits


class Writer:
    """The child's side: notes outcomes, in order.

    Args:
        area: of a chunk.
        flush: sends bytes of the stream through the pipe, where they are more than the area holds.
    """

    def __init__(self, area: Area, flush: Callable[[memoryview | bytes], None]) -> None:
        self._area = area
        self._flush = flush
        self._times, self._marks, self._stream = area.times, area.marks, area.stream
        self._index = self._end = 0

    @property
    def finished(self) -> int:
        """How many records."""
        return self._index

    def begin(self) -> None:
        """The chunk is made ready from now on."""
        self._times[0] = -time.monotonic()

    def start(self) -> None:
        """The first record runs from now on."""
        self._times[0] = time.monotonic()

    def add(self, outcome: Outcome) -> None:
        """A record is finished; the next one runs from now on.

        That is noted first: between the two the parent may think that the record runs less long than it does, never longer.
        """
        if isinstance(outcome, Handled) and not outcome.results:
            mark = min(outcome.elapsed_us + 1, _LONGEST)
        elif isinstance(outcome, Held):
            mark = _HELD
        else:
            self._write(_encoder.encode(outcome))
            mark = _WRITTEN
        self._times[0] = time.monotonic()
        self._marks[self._index] = mark
        self._index += 1

    def _write(self, encoded: bytes) -> None:
        """Append to the stream. What went through the pipe counts as flushed afterwards: until then it stands here too."""
        item = _length.pack(len(encoded)) + encoded
        if len(item) > len(self._stream) - self._end:
            if self._end:
                self._flush(self._stream[: self._end])
                self._area.numbers[0] += self._end
                self._end = 0
            if len(item) > len(self._stream):
                self._flush(item)
                self._area.numbers[0] += len(item)
                return
        self._stream[self._end : self._end + len(item)] = item
        self._end += len(item)


class Reader:
    """The parent's side; it may look at any time, and relies on nothing that has no mark.

    Attributes:
        flushed: what came of the stream by the pipe.
    """

    def __init__(self, area: Area) -> None:
        self._area = area
        self.flushed = bytearray()

    def running(self) -> tuple[int, float]:
        """The index of the record that runs, and since when; the number of records where all are finished.

        The index first: read the other way round, the time could be that of the record before.
        """
        marks = self._area.marks.tolist()
        index = marks.index(0) if 0 in marks else len(marks)
        return index, self._area.times[0]

    def outcomes(self) -> list[Outcome]:
        """What is finished, in order."""
        marks = self._area.marks.tolist()
        if 0 in marks:
            del marks[marks.index(0) :]
        if max(marks, default=0) <= len(BRIEF):
            return [BRIEF[mark - 1] for mark in marks]
        stream = self._stream_of(marks)
        return [self._outcome(mark, stream) for mark in marks]

    def _stream_of(self, marks: list[int]) -> "_Stream":
        flushed = self._area.numbers[0] if _WRITTEN in marks else 0
        stream = self._area.stream
        return _Stream(b"".join((self.flushed[:flushed], stream)) if flushed else stream)

    @staticmethod
    def _outcome(mark: int, stream: "_Stream") -> Outcome:
        if mark == _WRITTEN:
            return stream.next()
        return HELD if mark == _HELD else Handled((), mark - 1)


class _Stream:
    """Outcomes, one after another."""

    def __init__(self, content: bytes | memoryview) -> None:
        self._content = memoryview(content)
        self._at = 0

    def next(self) -> Outcome:
        (length,) = _length.unpack_from(self._content, self._at)
        begins = self._at + _length.size
        self._at = begins + length
        outcome: Outcome = _decoder.decode(self._content[begins : self._at])
        return outcome
