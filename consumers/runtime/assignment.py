"""What the runtime knows of one partition while it is assigned to it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat

from confluent_kafka import TopicPartition

from consumers.runtime.agent import Agent
from consumers.runtime.block import offsets_of
from consumers.runtime.bounds import Bound
from consumers.runtime.chunk import SUSPECTED, Chunk
from consumers.runtime.lanes import Lanes
from consumers.runtime.metadata import Hold, Note, encode, fitting
from consumers.runtime.offsets import Start
from consumers.runtime.record import Record
from consumers.runtime.suspects import Suspects
from consumers.runtime.watermark import Watermark
from schemas.event import Event
from schemas.names import retry_suffix

_MARK_LIMIT_S = 3.0
"""Work does not wait any longer for a coordinator that is away; a death in that time is not counted."""


@dataclass(slots=True, eq=False)
class Assignment:
    """One assignment of one partition; the next assignment of the same partition is another object.

    A completion that comes back for an assignment which is not `alive` any more publishes nothing and moves nothing.

    Attributes:
        topic: the broker's name.
        note: what its commits' metadata say, beside what is finished beyond them.
        done: what was finished before this assignment, from its start on: a byte an offset, 1 where it is.
        started_at: the offset at which it started.
        watermark: which offsets are finished.
        lanes: what waits, in order.
        stored: the offset in the database, for an exact agent.
        exact: whether the agent is one.
        committed: the last offset that the broker confirmed; -1 for none that counts.
        sent: the offset of the commit that is on its way; -1 for none.
        sent_s: when that was, on the clock of `time.monotonic()`.
        expelled_s: since when the broker refuses its commits because it knows no such member; None while it does not.
        said: what the last commit told of what is finished beyond it; None where that must be told again.
        tells: whether its commits tell what is finished beyond them: not where the broker takes no such metadata, and not of an
            exact agent, whose stored offset decides.
        crowded: whether that was more than a commit's metadata hold: then nothing more is taken.
        end: the log's end as an end-of-partition event told it; -1 before the first.
        stopped: why nothing is taken from this partition; None while it is.
        unacknowledged: records whose results or dead letters the broker has not confirmed yet.
        retry_delay_s: of a retry topic's partition, how long its records wait there; None for any other.
        resume_s: until when nothing is taken, because its next record is not due, on the clock of `time.monotonic()`.
        backed_up: whether nothing more is fetched because too much waits behind a record of it.
        sated: whether nothing is taken because its suspects, which take their time, have their share of the room in hand.
        reached: one past the highest offset that was ever handed over.
        batch_limit: the most records of a batch; halved when a batch ran past its deadline.
        bound: of a replay, where it ends.
        hold: the mark in its commits that says who owns it; None where nobody's death is counted: of an agent in child
            processes, and once it is left.
        marked: whether the broker has confirmed the mark, or that it is taken away.
        suspects: which of its records run in a child process.
        doubted: whether it was fetched once more, because what came first was not its start.
        events: what records say that were decoded as they came, by offset, until they are handed over.
        begun_s: when the first of its records was taken, on the clock of `time.monotonic()`; None until then, when its owner
            cannot die of one.
    """

    topic: str
    partition: int
    note: Note
    done: bytes
    started_at: int
    watermark: Watermark
    lanes: Lanes
    stored: int
    committed: int
    batch_limit: int
    exact: bool
    retry_delay_s: int | None = None
    resume_s: float | None = None
    backed_up: bool = False
    sated: bool = False
    stopped: str | None = None
    sent: int = -1
    sent_s: float = 0.0
    expelled_s: float | None = None
    said: bytes | None = None
    crowded: bool = False
    tells: bool = True
    end: int = -1
    alive: bool = True
    advancing: bool = False
    unacknowledged: int = 0
    reached: int = 0
    bound: Bound | None = None
    hold: Hold | None = None
    marked: bool = True
    suspects: Suspects = field(default_factory=Suspects)
    doubted: bool = False
    begun_s: float | None = None
    events: dict[int, Event] = field(default_factory=dict)
    chunks: set[Chunk] = field(default_factory=set)

    @classmethod
    def of(cls, agent: Agent, topic: str, partition: int, note: Note, start: Start, *, committed: int) -> "Assignment":
        """A fresh assignment that starts where `start` says; the note tells what is finished beyond that."""
        return cls(
            topic=topic,
            partition=partition,
            note=Note(note.topic_id, note.birth),
            done=note.done,
            retry_delay_s=next((d for d in agent.retry_delays_s if topic.endswith(retry_suffix(agent.name, d))), None),
            started_at=start.offset,
            watermark=Watermark(start.offset),
            lanes=Lanes(lanes=agent.concurrency, order=agent.order, whole=agent.batch_records is not None),
            stored=start.offset,
            committed=committed if committed == start.offset else -1,
            batch_limit=agent.batch_records or 0,
            exact=agent.exact,
            tells=not agent.exact,
            stopped=start.misfit if start.stopped else None,
        )

    @classmethod
    def waiting(cls, agent: Agent, topic: str, partition: int) -> "Assignment":
        """What stands for a partition until it is known where it starts: nothing is taken from it."""
        start = Start(0, "it is being looked up where it starts", stopped=True)
        return cls.of(agent, topic, partition, Note(), start, committed=-1)

    @property
    def topic_id(self) -> str:
        """Kafka's id of the log that it stands in; empty while that is unknown."""
        return self.note.topic_id or ""

    @property
    def place(self) -> tuple[str, int]:
        """Topic and partition."""
        return self.topic, self.partition

    @property
    def quiet(self) -> bool:
        """Whether nothing is to be taken from it now; what comes of it all the same is fetched again later."""
        return self.stopped is not None or self.resume_s is not None or self.sated

    @property
    def unfetched(self) -> bool:
        """Whether nothing is to be fetched from it now."""
        return self.quiet or self.crowded or self.backed_up or self.exhausted

    @property
    def out(self) -> bool:
        """Whether any of its records runs, or waits for the broker's acknowledgement."""
        return bool(self.chunks) or self.unacknowledged > 0

    @property
    def turns_on_others(self) -> bool:
        """Whether its next step comes from an executor's thread or the sender's, rather than from the consumer's poll.

        Where only acknowledgements are out that nothing waits for but a commit, they can be looked at a little later.
        """
        return bool(self.chunks) or (self.unacknowledged > 0 and self.lanes.holding_back)

    @property
    def exhausted(self) -> bool:
        """Whether a replay has taken all that it wants of this partition."""
        return self.bound is not None and max(self.watermark.highest, self.end) >= self.bound.until

    @property
    def careful(self) -> bool:
        """Whether a suspect may be among its unfinished records."""
        return self.suspects.until > self.watermark.committable

    @property
    def has_untried(self) -> bool:
        """Whether a suspect is yet to be tried. One that waits for its next attempt was tried, and keeps nobody waiting."""
        if not self.careful:
            return False
        is_expected = self.suspects.expected and self.watermark.highest < self.suspects.until
        return is_expected or self.is_trying

    @property
    def is_trying(self) -> bool:
        """Whether a suspect runs, or could run next."""
        runs = any(chunk.purpose in SUSPECTED for chunk in self.chunks)
        return runs or self.lanes.waiting_below(self.suspects.until)

    @property
    def unsaid(self) -> bool:
        """Whether the broker is yet to be told who owns it: of a record that kills now, the owner would die without a mark."""
        return self.hold is not None and not self.marked

    def waits_for_mark(self, now_s: float) -> bool:
        """Whether none of its records is to be started: one that kills at once would leave no mark of its owner."""
        if not self.unsaid or self.begun_s is None:
            return False
        return now_s - self.begun_s < _MARK_LIMIT_S

    def deliver(self, offsets: Sequence[int]) -> None:
        """Note that these were taken, in offset order: from the first on, its owner may die of one."""
        if self.begun_s is None and offsets:
            self.begun_s = time.monotonic()
        self.watermark.deliver(offsets)

    def note_events(self, records: Sequence[Record], events: Sequence[Event | None]) -> None:
        """Note what these say, parallel to them, until they are handed over."""
        for offset, event in zip(offsets_of(records), events, strict=True):
            if event is not None:
                self.events[offset] = event

    def take_events(self, records: Sequence[Record]) -> list[Event | None] | None:
        """What these say, as it was noted; None where nothing was."""
        return [*map(self.events.pop, offsets_of(records), repeat(None))] if self.events else None

    def held_by(self, hold: Hold, suspects: Suspects) -> None:
        """Note who owns it now; the first commit says so, once a record is taken."""
        self.hold, self.suspects, self.marked = hold, suspects, False

    def note_in_flight(self, limit: int) -> None:
        """The most records in flight, for the mark: by powers of two, told with whatever commit comes next."""
        if self.hold is not None and limit > self.hold.in_flight:
            self.hold = self.hold._replace(in_flight=1 << (limit - 1).bit_length())

    def leave(self) -> None:
        """Take the mark away, by the commit that is due from now on. Where none was told, the one of an earlier owner stays."""
        self.say_again()
        self.marked, self.hold = self.note.hold is None, None

    def due_commit(self) -> TopicPartition | None:
        """The commit that is due; None when the broker has it, or is being told, or nothing may be committed."""
        if self.stopped is not None:
            return None
        if self.end > self.watermark.committable:
            self.watermark.skip_to(self.end)
        # An exact agent starts at the stored offset, whatever was committed: a commit ahead of it would tell a lag that isn't.
        offset = min(self.watermark.committable, self.stored) if self.exact else self.watermark.committable
        beyond = self._flags_beyond() if self.tells else b""
        self.suspects.forget_below(self.watermark.committable)
        died = tuple(sorted(self.suspects.died.items()))
        hold = self.hold if self.begun_s is not None else None
        if self.begun_s is None and offset <= self.committed and (self.hold is not None or self.note.hold is None):
            return None  # what its last owner has said still stands
        is_told = self._is_mark_told(hold) and died == self.note.died and beyond == (self.said or b"")
        if is_told and offset <= max(self.committed, self.sent):
            return None
        in_hand = self.watermark.unfinished > 0  # else there is nothing to wait for
        self.said, self.crowded = beyond, bool(beyond) and in_hand and fitting(beyond) < len(beyond)
        self.note = self.note._replace(hold=hold, died=died)
        return TopicPartition(self.topic, self.partition, offset, metadata=encode(self.note._replace(done=beyond)))

    def _is_mark_told(self, hold: Hold | None) -> bool:
        """Whether the broker has, or is being told, the mark that is to stand now: none of an owner that has taken nothing."""
        is_on_its_way = self.sent >= 0 and (self.note.hold is None) == (hold is None)
        return self.marked or is_on_its_way or (self.hold is not None and hold is None)

    def _flags_beyond(self) -> bytes:
        """What is finished beyond the watermark: here, or by an earlier owner of records that are yet to be delivered."""
        flags = self.watermark.flags_beyond()
        before = self.done[self.watermark.committable - self.started_at :]
        if len(before) <= len(flags):
            return flags
        undelivered = max(len(flags), self.watermark.highest - self.watermark.committable)
        rest = before[undelivered:]
        return flags.ljust(undelivered, b"\0") + rest if 1 in rest else flags

    def confirm(self, offset: int) -> None:
        """The broker has taken a commit. Its last answer counts, not the highest.

        librdkafka keeps a commit while its coordinator is away, sends it again later than the next ones, and so turns the group
        back. Seen when a coordinator moved as a load ended: 16 finished records stayed uncommitted for good.
        """
        if offset < self.committed:
            self.say_again()
        self.expelled_s, self.committed = None, offset
        self.marked = self.hold is None or self.note.hold is not None
        self.sent = -1 if offset == self.sent else self.sent

    def say_again(self) -> None:
        """The commit on its way has failed, or may still fail: say it again."""
        self.sent, self.said, self.note = -1, None, self.note._replace(died=())

    def is_done(self, offset: int) -> bool:
        """Whether a record was finished already by an earlier owner of the partition."""
        index = offset - self.started_at
        return 0 <= index < len(self.done) and self.done[index] == 1

    def end_now(self) -> list[Chunk]:
        """Give it up: whatever comes back for it counts no more. Returns the chunks that still run."""
        self.alive = False
        chunks, self.chunks = list(self.chunks), set()
        return chunks
