"""The lives of one partition's owners, without a broker: what they commit outlives them, nothing else does.

Real assignments, dispatch and settlement; only the executor is a stand-in, which dies where a worker or a child would.
"""

import time
from queue import SimpleQueue

from consumers.runtime import metadata
from consumers.runtime.assignment import Assignment
from consumers.runtime.chunk import Purpose
from consumers.runtime.circuit import Circuits
from consumers.runtime.dispatch import Dispatch
from consumers.runtime.executors import Completed
from consumers.runtime.executors.inline import Inline
from consumers.runtime.failure import died
from consumers.runtime.metadata import Note
from consumers.runtime.offsets import Start
from consumers.runtime.outputs import Outputs
from consumers.runtime.record import HELD, Handled
from consumers.runtime.settlement import Settlement
from consumers.runtime.stats import Stats
from consumers.runtime.suspects import Suspects, take_over
from producers.memory import MemorySender
from schemas import names as wire
from tests.support.desks import flow_of
from tests.support.kits import order_record

IN_FLIGHT = 200


class WorkerDiedError(Exception):
    """Raised when a record has killed its worker."""


class _Mortal(Inline):
    """Runs chunks; of a culprit a child dies, or the worker."""

    def __init__(self, log):
        super().__init__(None, done=lambda _: None)
        self._log, self.back = log, []

    def submit(self, chunk):
        if chunk.purpose is Purpose.ALONE:
            kills = [self._log.kills(record.offset) for record in chunk.records]
            lived = kills.index(True) if True in kills else len(kills)
            ended = [died(-11), *[HELD] * (len(kills) - lived - 1)] if lived < len(kills) else []
            self.back.append(Completed(chunk, [*[Handled()] * lived, *ended]))
            return
        for record in chunk.records:
            if self._log.kills(record.offset):
                raise WorkerDiedError
            self._log.handled.add(record.offset)
        self.back.append(Completed(chunk, [Handled()] * len(chunk.records)))


class Log:
    """A partition and its commit, which outlive all owners.

    Attributes:
        culprits: offsets of records that kill.
        handled: offsets that were handled at least once.
        letters: offsets in the dead-letter topic.
    """

    def __init__(self, kit, agent, *, kills):
        self.kit, self.agent = kit, agent
        self.culprits = {offset for offset, it_kills in enumerate(kills) if it_kills}
        self.high = len(kills)
        self.handled, self.letters = set(), set()
        self.committed, self.said = 0, None
        self.owners = 0

    def append(self, *, kills):
        self.culprits |= {self.high} if kills else set()
        self.high += 1

    def kills(self, offset):
        return offset in self.culprits


class Life:
    """One owner of the log's partition, from its assignment on."""

    def __init__(self, log):
        log.owners += 1
        self.log, self._taken = log, log.committed
        said = metadata.decode(log.said)
        hold = take_over(said, owner=f"owner{log.owners}", start=log.committed, high=log.high)
        note = Note("id", done=said.done)
        start = Start(log.committed)
        self.assignment = Assignment.of(log.agent, "orders.placed", 0, note, start, committed=log.committed)
        self.assignment.held_by(hold, Suspects.of(hold, said.died, high=log.high))
        self._executor, self._tickets = _Mortal(log), SimpleQueue()
        self._sender = MemorySender(["orders.confirmed", "threads.dlq"])
        outputs = Outputs(self._sender, agent="threads", dead_letter_topic="threads.dlq")
        self._settlement = Settlement(log.agent, outputs, Circuits(), Stats(), settled=self._tickets.put)
        self._dispatch = Dispatch(log.agent, self._executor, flow_of(log.agent, self.assignment), Circuits())

    def poll(self):
        """Take what the log has by now; the first time, say at once who does."""
        begins = self.assignment.begun_s is None
        offsets = list(range(self._taken, self.log.high))
        self._taken = self.log.high
        self.assignment.deliver(offsets)
        done = [offset for offset in offsets if self.assignment.is_done(offset)]
        self.assignment.watermark.finish(done)
        fresh = [offset for offset in offsets if offset not in done]
        self.assignment.suspects.delivered(fresh)
        counts = self.assignment.suspects.died
        self.assignment.lanes.add(
            [
                order_record(self.log.kit, each, key=f"k{each % 5}".encode(), attempt=counts.get(each, 0) + 1)
                for each in fresh
            ]
        )
        if begins:
            self.commit()

    def work(self):
        """Hand over what may run, and settle it; its retries are due at once.

        Raises:
            WorkerDiedError: when a record has killed this owner.
        """
        self.assignment.lanes.wake(time.monotonic() + 3600)
        self._dispatch.hand_over([self.assignment])
        for completed in self._executor.back:
            if completed.chunk.purpose is Purpose.ALONE:
                outcomes = zip(completed.chunk.records, completed.outcomes, strict=True)
                self.log.handled |= {record.offset for record, outcome in outcomes if isinstance(outcome, Handled)}
            self._settlement.completed(completed)
        self._executor.back.clear()
        while not self._tickets.empty():
            self._settlement.acknowledged(self._tickets.get())
        letters = [record for record in self._sender.records if record.stored_topic == "threads.dlq"]
        self.log.letters |= {int(dict(letter.headers)[wire.ORIGIN_OFFSET] or -1) for letter in letters}

    def commit(self):
        """What is due, at the broker at once."""
        self.assignment.note_in_flight(IN_FLIGHT)
        due = self.assignment.due_commit()
        if due is not None:
            self.log.committed, self.log.said = due.offset, due.metadata
            self.assignment.sent_s = time.monotonic()
            self.assignment.confirm(due.offset)

    def leave(self):
        """Cleanly."""
        self.assignment.leave()
        self.commit()
