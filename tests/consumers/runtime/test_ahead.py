"""A chunk that waits for a thread is got ready meanwhile; what comes of it is the same."""

import threading
from queue import SimpleQueue

import msgspec
import pytest

from consumers.runtime.batch_work import BatchWork
from consumers.runtime.chunk import Chunk
from consumers.runtime.executors.threads import Threads
from consumers.runtime.local import agent_named
from consumers.runtime.record import Failed, Handled
from consumers.runtime.state import Position, State
from tests.support.flows import eventually
from tests.support.kits import Owner, order_record, shop_kit
from tests.support.shop import counting

LIMIT_S = 20.0


class Gated:
    """Work that holds the first chunk until it is let go, and notes what happens in its order."""

    def __init__(self):
        self.happened, self.let_go, self.flaw = [], threading.Event(), None

    def prepare(self, chunk):
        self.happened.append(("prepared", *chunk.records))
        if self.flaw is not None:
            raise self.flaw

    def perform(self, chunk):
        self.happened.append(("begun", *chunk.records))
        if chunk.records == ["first"]:
            self.let_go.wait(LIMIT_S)
        chunk.outcomes = [Handled()] * len(chunk.records)


@pytest.fixture
def work():
    made = Gated()
    yield made
    made.let_go.set()


@pytest.fixture
def threads(work):
    back = SimpleQueue()
    made = Threads(work, name="ahead", concurrency=1, done=back.put, prepare=work.prepare)
    made.back = back
    made.start()
    yield made
    work.let_go.set()
    made.close(LIMIT_S)


def chunk_of(*records):
    return Chunk(Owner(), 0, list(records), lambda record: record)


def both(threads, work):
    """Two chunks through one thread, the second of which has to wait; what had happened before the first was done."""
    threads.submit(chunk_of("first"))
    eventually(lambda: work.happened)
    threads.submit(chunk_of("second"))
    eventually(lambda: ("prepared", "second") in work.happened)
    meanwhile = list(work.happened)
    work.let_go.set()
    assert [threads.back.get(timeout=LIMIT_S).chunk.records[0] for _ in range(2)] == ["first", "second"]
    return meanwhile


def test_a_chunk_that_waits_is_got_ready_meanwhile_and_one_that_need_not_wait_begins_at_once(threads, work):
    assert both(threads, work) == [("begun", "first"), ("prepared", "second")]
    assert work.happened[-1] == ("begun", "second")


@pytest.mark.parametrize("flaw", [MemoryError("no room"), SystemExit(1)])
def test_a_chunk_that_cannot_be_got_ready_runs_all_the_same(threads, work, flaw):
    work.flaw = flaw
    both(threads, work)
    assert work.happened[-1] == ("begun", "second")


def test_an_errand_without_records_waits_for_nothing_but_the_thread(threads, work):
    threads.submit(chunk_of("first"))
    eventually(lambda: work.happened)
    threads.submit(chunk_of())
    work.let_go.set()
    for _ in range(2):
        threads.back.get(timeout=LIMIT_S)
    assert work.happened == [("begun", "first"), ("begun",)]


@pytest.fixture
def frames(monkeypatch):
    """The columns that the counting handler was given, batch by batch."""
    given = []
    count = counting.count

    def noted(orders, context):
        given.append(orders.frame.to_dicts())
        count(orders, context)

    monkeypatch.setattr(counting, "count", noted)
    return given


def opened(database_url):
    """The state of a partition that begins at 0."""
    state = State(database_url, group="counting")
    state.begin(Position("id", "orders.placed", 0), 0)
    return state


def whole_order(_record):
    """The whole partition is one order."""
    return "partition"


def handled(database_url, records, *, ahead):
    """What comes of one chunk: what each record came to, and the offset that is stored."""
    kit = shop_kit(database_url=database_url)
    agent, state = agent_named(kit, "counting"), opened(database_url)
    work = BatchWork(agent, kit, state=state)
    chunk = Chunk(Owner(), 0, records, whole_order)
    if ahead:
        work.prepare(chunk)
        assert chunk.columns is not None
    work.perform(chunk)
    state.close()
    came_to = [each.kind if isinstance(each, Failed) else type(each).__name__ for each in chunk.outcomes]
    return came_to, chunk.owner.stored


@pytest.mark.parametrize("bad", [(), (0,), (3,), (6,), (2, 3), (0, 6), tuple(range(7))])
@pytest.mark.parametrize("wishes", ["", "reject@5", "reject-named@4", "bug@1"])
def test_what_was_decoded_ahead_is_handled_as_what_is_decoded_then(tmp_path, frames, bad, wishes):
    wish, _, at = wishes.partition("@")
    kit = shop_kit()
    records = [order_record(kit, offset, wish=wish if str(offset) == at else "ok") for offset in range(7)]
    for index in bad:
        records[index] = msgspec.structs.replace(records[index], value=records[index].value[:-1])
    plain = handled(f"sqlite:///{tmp_path}/plain.db", records, ahead=False)
    plain_frames = list(frames)
    frames.clear()
    assert handled(f"sqlite:///{tmp_path}/ahead.db", records, ahead=True) == plain
    assert frames == plain_frames
    assert plain[1] == min((*bad, *([int(at)] if at else ()), len(records)))  # one past the last that is stored


def test_what_is_stored_already_is_not_handled_again_though_it_was_decoded_ahead(tmp_path, frames):
    kit = shop_kit(database_url=f"sqlite:///{tmp_path}/headrace.db")
    state = opened(kit.settings.database_url)
    work = BatchWork(agent_named(kit, "counting"), kit, state=state)
    records = [order_record(kit, offset) for offset in range(5)]
    chunk = Chunk(Owner(), 0, records[:3], whole_order)
    work.perform(chunk)
    again = Chunk(chunk.owner, 0, records, whole_order)
    work.prepare(again)
    work.perform(again)
    state.close()
    assert [[row["order_id"] for row in frame] for frame in frames] == [["o0", "o1", "o2"], ["o3", "o4"]]
    assert all(isinstance(outcome, Handled) for outcome in again.outcomes)
