"""`headrace dlq redrive`: the right records in the right topics, once, in order, and again after a kill."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.settings import Settings
from tests.support.cli import command, environment, headrace
from tests.support.flows import eventually
from tests.support.letters import NOW_MS, Dead, Morgue, offsets

RETRY = "text.retry.0s"


@pytest.fixture
def morgue(settings: Settings, make_topic: Callable[..., str]) -> Morgue:
    return Morgue(settings, make_topic)


def redrive(morgue: Morgue, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return headrace(morgue.settings, "dlq", "redrive", *arguments, "--yes", **environ)


def states(morgue: Morgue) -> list[str]:
    done = headrace(morgue.settings, "dlq", "ls", "--each", "-q", "state:all", "-o", "jsonl")
    return [json.loads(line)["state"] for line in done.stdout.splitlines()]


def test_a_letter_goes_to_its_agents_shortest_retry_topic_as_it_was_due_now_and_counted(morgue: Morgue) -> None:
    own: list[tuple[str, bytes | None]] = [
        ("correlation-id", b"\xff\x00"),
        ("headrace-agent", b"images"),
        ("empty", None),
    ]
    morgue.write(Dead(17, key=b"\xffkey", value=b"\x00value", headers=own, redrives=1))
    done = redrive(morgue, "text/texts.posted/0/17")
    assert (done.returncode, done.stderr) == (0, "1 letter sent again\n")
    (record,) = morgue.read(RETRY)
    assert (record.key(), record.value()) == (b"\xffkey", b"\x00value")
    assert record.headers() == [
        *own,
        ("headrace-origin-topic", f"{morgue.settings.prefix}texts.posted".encode()),
        ("headrace-origin-partition", b"0"),
        ("headrace-origin-offset", b"17"),
        ("headrace-origin-timestamp-ms", str(NOW_MS - 10).encode()),
        ("headrace-redrives", b"2"),
        ("headrace-due-ms", b"0"),
    ]
    state = morgue.states()["text/texts.posted/0/17"]
    assert (state["state"], state["redrives"], state["letter_offset"]) == ("redriven", 2, 0)


def test_a_tombstone_and_a_letter_without_a_key_are_sent_as_they_are(morgue: Morgue) -> None:
    morgue.write(Dead(1, value=None), Dead(2, key=None))
    assert redrive(morgue, "--all").returncode == 0
    found = sorted(morgue.read(RETRY), key=lambda record: offsets([record]))
    assert [(record.key(), record.value()) for record in found] == [(b"k", None), (None, b"v")]


def test_the_partition_is_the_one_that_every_publisher_chooses_for_the_key(morgue: Morgue) -> None:
    keys = [f"key{number}".encode() for number in range(20)]
    morgue.write(*(Dead(number, key=key) for number, key in enumerate(keys)))
    assert redrive(morgue, "--all").returncode == 0
    chosen = {}
    producer = Producer({"bootstrap.servers": morgue.settings.bootstrap_servers, "partitioner": "murmur2_random"})
    topic = morgue.settings.prefix + RETRY
    for key in keys:
        producer.produce(topic, b"", key=key, on_delivery=lambda _, sent: chosen.update({sent.key(): sent.partition()}))
    assert producer.flush(20) == 0
    assert {record.key(): record.partition() for record in morgue.read(RETRY) if record.value()} == chosen
    assert len(set(chosen.values())) > 1


def test_a_dry_run_and_a_question_that_nobody_answers_send_nothing(morgue: Morgue) -> None:
    morgue.write(Dead(1), Dead(2, error="ValueError"))
    done = redrive(morgue, "--all", "--dry-run", "-o", "json")
    assert (done.returncode, done.stderr) == (0, "nothing was done: this was a dry run\n")
    to = f"{morgue.settings.prefix}{RETRY}"
    assert json.loads(done.stdout) == [
        {"agent": "text", "error": "KeyError", "letters": 1, "to": to},
        {"agent": "text", "error": "ValueError", "letters": 1, "to": to},
    ]
    asked = headrace(morgue.settings, "dlq", "redrive", "--all", given="y\n")
    assert asked.returncode == 2
    assert "add --yes" in asked.stderr
    assert (morgue.read(RETRY), morgue.states()) == ([], {})


def test_a_second_run_sends_nothing_again_until_the_letter_comes_back(morgue: Morgue) -> None:
    morgue.write(Dead(1), Dead(2))
    assert redrive(morgue, "-q", "agent:text").returncode == 0
    for arguments in (["--all"], ["text/texts.posted/0/1"], ["-q", "state:redriven"]):
        again = redrive(morgue, *arguments)
        assert (again.returncode, again.stdout) == (0, "")
        assert "there is nothing to redrive" in again.stderr
    assert len(morgue.read(RETRY)) == 2
    morgue.write(Dead(1, redrives=1))
    assert states(morgue) == ["open", "redriven"]
    assert redrive(morgue, "--all").returncode == 0
    assert sorted(offsets(morgue.read(RETRY))) == [1, 1, 2]
    assert states(morgue) == ["redriven", "redriven"]


def test_a_letter_that_came_back_too_often_is_left_out_and_said(morgue: Morgue) -> None:
    morgue.write(Dead(1, redrives=3), Dead(2, redrives=2))
    done = redrive(morgue, "--all")
    assert done.returncode == 0
    assert "left out: 1 letter came back after 3 or more redrives (--max-redrives)" in done.stderr
    assert offsets(morgue.read(RETRY)) == [2]
    assert redrive(morgue, "--all", "--max-redrives", "4").returncode == 0
    assert offsets(morgue.read(RETRY)) == [2, 1]


def test_a_discarded_letter_is_redriven_only_when_it_is_named(morgue: Morgue) -> None:
    morgue.write(Dead(1), Dead(2))
    assert headrace(morgue.settings, "dlq", "discard", "--all", "--yes").returncode == 0
    assert redrive(morgue, "--all").returncode == 0
    assert morgue.read(RETRY) == []
    assert redrive(morgue, "text/texts.posted/0/1").returncode == 0
    assert redrive(morgue, "-q", "state:discarded").returncode == 0
    assert sorted(offsets(morgue.read(RETRY))) == [1, 2]


def test_letters_of_one_key_are_sent_in_the_order_of_their_offsets(morgue: Morgue) -> None:
    lying = [5, 3, 9, 1, 7, 2, 8, 4, 6, 0]
    morgue.write(*(Dead(offset, key=b"a" if offset % 2 else b"b") for offset in lying))
    assert redrive(morgue, "--all").returncode == 0
    found = morgue.read(RETRY)
    for key in (b"a", b"b"):
        of_key = offsets([record for record in found if record.key() == key])
        assert of_key == sorted(of_key)
        assert len(of_key) == 5


def test_to_the_origin_the_plan_names_who_will_see_it_again(morgue: Morgue, make_topic: Callable[..., str]) -> None:
    topic = make_topic("texts.posted", partitions=2)
    for group in ("text", "search"):
        consumer = Consumer(
            {"bootstrap.servers": morgue.settings.bootstrap_servers, "group.id": morgue.settings.prefix + group}
        )
        consumer.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)
        consumer.close()
    morgue.write(Dead(1, headers=[("correlation-id", b"c")]), Dead(2, topic="other.topic"))
    done = redrive(morgue, "--all", "--to-origin", "-o", "json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["to"], row["seen_again_by"], row["letters"]) == (topic, f"{morgue.settings.prefix}search", 1)
    assert "left out: 1 letter with an origin that their agent does not read" in done.stderr
    (record,) = morgue.read("texts.posted")
    assert record.headers() == [("correlation-id", b"c"), ("headrace-redrives", b"1")]
    assert (record.key(), record.value()) == (b"k", b"v")
    assert morgue.read(RETRY) == []
    assert morgue.states()["text/texts.posted/0/1"]["state"] == "redriven"


def test_a_missing_retry_topic_is_a_clear_error_and_nothing_is_sent(morgue: Morgue) -> None:
    morgue.write(Dead(1), Dead(2, agent="analytics"))
    done = redrive(morgue, "--all")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"the broker has no topic {morgue.settings.prefix}analytics.retry.0s" in done.stderr
    assert "headrace init" in done.stderr
    assert morgue.read(RETRY) == []


def test_what_the_broker_refuses_stays_open_and_does_not_stop_the_rest(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    morgue = Morgue(settings, make_topic, max_message_bytes=2000)
    morgue.write(*(Dead(number, value=os.urandom(5000 if number == 3 else 500)) for number in range(8)))
    done = redrive(morgue, "--all")
    assert done.returncode == 1
    assert "text/texts.posted/0/3: not sent:" in done.stderr
    assert "MSG_SIZE_TOO_LARGE" in done.stderr
    assert "7 letters sent again, 1 not" in done.stderr
    assert offsets(morgue.read(RETRY)) == [0, 1, 2, 4, 5, 6, 7]
    assert Counter(states(morgue)) == {"redriven": 7, "open": 1}


KILLED = """
import os, signal, sys, time
from producers.sender import Sender
send, states = Sender.send, []
def killed(self, topic, value, **more):
    if topic.endswith("headrace.dead-letters"):
        states.append(topic)
        if len(states) == 4:
            self.flush(10)
            os.kill(os.getpid(), signal.SIGKILL)
    send(self, topic, value, **more)
Sender.send = killed
from streams.cli import main
main(sys.argv[1:])
"""


def test_a_run_killed_between_the_record_and_its_state_has_not_sent_it(morgue: Morgue) -> None:
    morgue.write(*(Dead(number) for number in range(10)))
    arguments = [sys.executable, "-c", KILLED, "dlq", "redrive", "--all", "--yes", "--rate", "10"]
    killed = subprocess.run(arguments, env=environment(morgue.settings), capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert sorted(morgue.states()) == [f"text/texts.posted/0/{number}" for number in range(3)]
    done = redrive(morgue, "--all")
    assert (done.returncode, done.stderr) == (0, "7 letters sent again\n")
    assert offsets(morgue.read(RETRY)) == list(range(10)), "each once"
    assert set(states(morgue)) == {"redriven"}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_halfway_is_finished_by_the_next_one(morgue: Morgue, how: signal.Signals) -> None:
    count = 300
    morgue.write(*(Dead(number, key=f"k{number % 7}".encode()) for number in range(count)))
    process = start_redrive(morgue, "--rate", "100")
    eventually(lambda: len(morgue.read(RETRY)) >= 50)
    process.send_signal(how)
    _, told = process.communicate(timeout=60)
    if how == signal.SIGINT:
        recorded = morgue.states()
        assert process.returncode == 1
        assert f"{len(recorded)} letters sent again; stopped with {count - len(recorded)} to go" in told
        assert 50 <= len(recorded) < count
        assert len(morgue.read(RETRY)) == len(recorded), "Ctrl-C waits for what is under way"
    assert redrive(morgue, "--all").returncode == 0
    found = morgue.read(RETRY)
    assert sorted(offsets(found)) == list(range(count)), "each once"
    assert len(morgue.states()) == count
    for key in {record.key() for record in found}:
        of_key = offsets([record for record in found if record.key() == key])
        assert of_key == sorted(of_key)


def test_of_two_runs_at_once_the_newer_ends_the_older_and_every_letter_is_sent_once(morgue: Morgue) -> None:
    count = 600
    morgue.write(*(Dead(number, key=f"k{number % 7}".encode()) for number in range(count)))
    older = start_redrive(morgue, "--rate", "40")  # so that it is not done before the newer one has started
    eventually(lambda: len(morgue.read(RETRY)) >= 50)
    newer = start_redrive(morgue, "--rate", "400")
    (_, told_by_the_newer), (_, told_by_the_older) = newer.communicate(timeout=60), older.communicate(timeout=60)
    assert (newer.returncode, older.returncode) == (0, 1), (told_by_the_newer, told_by_the_older)
    assert "ended by a newer run with" in told_by_the_older
    found = morgue.read(RETRY)
    assert sorted(offsets(found)) == list(range(count)), "each once"
    for key in {record.key() for record in found}:
        of_key = offsets([record for record in found if record.key() == key])
        assert of_key == sorted(of_key)


def test_runs_started_at_the_same_moment_send_every_letter_once(morgue: Morgue) -> None:
    count = 200
    morgue.write(*(Dead(number) for number in range(count)))
    runs = [start_redrive(morgue) for _ in range(3)]
    codes = [run.wait(60) for run in runs]
    for run in runs:
        run.communicate()
    assert 0 in codes
    assert sorted(offsets(morgue.read(RETRY))) == list(range(count)), "each once"
    assert set(states(morgue)) == {"redriven"}


def start_redrive(morgue: Morgue, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("dlq", "redrive", "--all", "--yes", *arguments),
        env=environment(morgue.settings), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_rate_is_kept(morgue: Morgue) -> None:
    morgue.write(*(Dead(number) for number in range(6)))
    assert redrive(morgue, "--all", "--rate", "10").returncode == 0
    times = [record.timestamp()[1] for record in morgue.read(RETRY)]
    assert times[-1] - times[0] >= 450
