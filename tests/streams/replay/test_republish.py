"""A republish on the real broker: copies, each once."""

import signal
from types import SimpleNamespace

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from producers.transactional import TransactionalSender
from streams.replay.job import ReplayError
from streams.replay.republish import _Copier
from tests.support.replays import job_of, jobs, replay

HEADERS = [("correlation-id", b"c"), ("twice", b"1"), ("twice", b"\xff"), ("nothing", None)]


@pytest.fixture
def target(flow):
    return flow.make_topic("orders.again", partitions=4)


def contents(messages):
    """What stands in records, without their places; each with whatever its headers are."""
    return sorted((m.key(), m.value(), tuple(m.headers() or ())) for m in messages)


def republish(flow, *arguments):
    ran = replay(
        flow.settings, "orders.placed", "--mode", "republish", "--to-topic", "orders.again", *arguments, "--yes"
    )
    assert ran.returncode == 0, ran.stderr
    return ran


def left_open(flow, job, target):
    """A transaction as a killed copier leaves it: a copy and the whole range's commits in it, and no end."""
    group = flow.settings.names.replay_group("republish", job)
    sender = TransactionalSender(flow.settings, client_id="dead", transactional_id=group)
    consumer = Consumer({"bootstrap.servers": flow.settings.bootstrap_servers, "group.id": group})
    sender._producer.begin_transaction()
    sender.send(target, b"of no avail", key=b"dead")
    sender.commit_with_it([TopicPartition(flow.placed, n, 99) for n in range(4)], consumer.consumer_group_metadata())
    assert sender.flush(20) == 0
    consumer.close()


def test_the_range_is_copied_byte_for_byte_with_the_mark_behind_its_headers(flow, target):
    producer = Producer({"bootstrap.servers": flow.settings.bootstrap_servers})
    for number in range(40):
        value = None if number == 5 else b"\x00not avro %d" % number
        producer.produce(flow.placed, value, key=b"\xffk%d" % number, headers=HEADERS)
    producer.produce(flow.placed, b"no key", headers=None)
    assert producer.flush(20) == 0
    ran = republish(flow, "--from", "start")
    mark = ("headrace-replay", job_of(ran).encode())
    expected = sorted((m.key() or b"", m.value(), (*(m.headers() or ()), mark)) for m in flow.read(flow.placed))
    assert sorted((m.key() or b"", m.value(), tuple(m.headers())) for m in flow.read(target)) == expected


def test_only_records_of_the_key_whose_fields_are_so_are_copied_and_what_has_no_fields_is_told(flow, target):
    flow.place(*[(f"o{number}", wish) for number in range(4) for wish in ("ok", "tell", "ok")])
    flow.sender.send(flow.placed, b"\xffnot avro", key=b"o2")
    assert flow.sender.flush(20) == 0
    ran = republish(flow, "--from", "start", "--key", "o2", "--where", "wish!=tell,sequence<1")
    assert "2 copied to orders.again; 1 could not be decoded for --where" in ran.stderr
    (first, second) = flow.read(target)
    assert (first.key(), second.key()) == (b"o2", b"o2")


def test_an_interrupted_copy_resumes_and_copies_nothing_twice(flow, target, start_replay):
    flow.place(*[(f"o{number:03}", "ok") for number in range(300)])
    process = start_replay(
        flow.settings, "orders.placed", "--from", "10", "--to", "60", "--mode", "republish", "--to-topic", "orders.again",
        "--rate", "60", "--yes",
    )  # fmt: skip
    process.await_progress(lambda: len(flow.read(target)) > 30)
    process.end(signal.SIGKILL)
    (job,) = jobs(flow.settings)
    ran = replay(flow.settings, "resume", job)
    assert ran.returncode == 0, ran.stderr
    wanted = sorted(m.key() for m in flow.read(flow.placed) if 10 <= m.offset() < 60)
    assert sorted(m.key() for m in flow.read(target)) == wanted
    assert jobs(flow.settings)[job]["state"] == "done"


def test_a_copy_that_died_within_a_transaction_is_listed_and_resumed_at_once_and_copies_nothing_twice(
    flow, target, start_replay
):
    flow.place(*[(f"o{number:02}", "ok") for number in range(40)])
    range_ = ("--from", "start", "--mode", "republish", "--to-topic", "orders.again", "--rate", "8", "--yes")
    process = start_replay(flow.settings, "orders.placed", *range_)
    process.await_progress(lambda: len(flow.read(target)) > 8)
    process.end(signal.SIGKILL)
    (job,) = jobs(flow.settings)
    left_open(flow, job, target)
    assert jobs(flow.settings)[job]["done"] < 40
    ran = replay(flow.settings, "resume", job)
    assert ran.returncode == 0, ran.stderr
    assert sorted(m.key() for m in flow.read(target)) == sorted(m.key() for m in flow.read(flow.placed))


def test_a_target_that_is_missing_is_told_before_anything_is_done(flow):
    flow.place(("o1", "ok"))
    arguments = ("--from", "start", "--mode", "republish", "--to-topic", "no.such", "--yes")
    ran = replay(flow.settings, "orders.placed", *arguments)
    assert ran.returncode == 2
    assert "has no topic" in ran.stderr
    assert replay(flow.settings, "list").stderr.startswith("there are no jobs")


class TakenForStored(TransactionalSender):
    """Its answers are as librdkafka's for a batch that it takes for stored because a later one is: without an offset."""

    def _offer(self, record):
        *way, heard, partition_callback, timestamp, headers = record
        unplaced = SimpleNamespace(offset=lambda: None)
        return super()._offer((*way, lambda error, _: heard(error, unplaced), partition_callback, timestamp, headers))


def test_a_copy_that_is_only_taken_for_stored_is_not_committed(flow, target):
    flow.place(("o1", "ok"))
    group = flow.settings.names.replay_group("republish", "test")
    sender = TakenForStored(flow.settings, client_id="test", transactional_id=group)
    consumer = Consumer({"bootstrap.servers": flow.settings.bootstrap_servers, "group.id": group})
    copier = _Copier(SimpleNamespace(id="test"), sender, consumer.consumer_group_metadata(), flow.placed, target)
    with pytest.raises(ReplayError, match="without an offset"):
        copier.copy(flow.read(flow.placed), flow.read(flow.placed))
    sender.close(1.0)
    assert flow.read(target) == []
    assert [place.offset for place in consumer.committed([TopicPartition(flow.placed, 0)])] == [-1001]
    consumer.close()
