"""`headrace tail`: what stands in a topic, in either wire format, and what cannot be decoded too."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from producers import Publisher
from schemas.records import TextPosted
from schemas.settings import Settings
from tests.support.cli import command, environment, headrace


def publish(settings: Settings, *names: str) -> None:
    """Each in a millisecond of its own: records of the same one have no order across partitions."""
    with Publisher(settings) as publisher:
        for name in names:
            publisher.publish(TextPosted(text_id=name, text="t", occurred_at=1_795_341_600_000_000)).result(20)
            time.sleep(0.002)


def produce(settings: Settings, topic: str, records: list[dict[str, Any]]) -> None:
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "linger.ms": 0})
    for record in records:
        producer.produce(topic, **record)
    assert producer.flush(20) == 0


def tail(settings: Settings, *arguments: str) -> list[dict[str, Any]]:
    done = headrace(settings, "tail", *arguments, "-o", "jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def names(shown: list[dict[str, Any]]) -> list[str]:
    return [record["value"]["text_id"] for record in shown]


def test_without_options_it_shows_the_last_ten_of_all_partitions(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    make_topic("texts.posted", partitions=3)
    publish(settings, *(f"t{number}" for number in range(14)))
    assert names(tail(settings, "texts.posted")) == [f"t{number}" for number in range(4, 14)]
    assert names(tail(settings, "texts.posted", "-n", "2")) == ["t12", "t13"]


def test_a_record_is_shown_with_place_time_key_headers_and_fields(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    topic = make_topic("texts.posted", partitions=1)
    with Publisher(settings) as publisher:
        event = TextPosted(text_id="a", text="hi", occurred_at=1_795_341_600_000_001)
        publisher.publish(event, headers=[("correlation-id", "c"), ("twice", "1"), ("twice", b"\xff")])
    (shown,) = tail(settings, "texts.posted")
    assert shown.pop("time").endswith("Z")
    assert shown == {
        "topic": topic,
        "partition": 0,
        "offset": 0,
        "key": "a",
        "headers": {"correlation-id": "c", "twice": ["1", "hex:ff"]},
        "record": "headrace.TextPosted",
        "value": {
            "event_id": event.event_id,
            "occurred_at": "2026-11-22T10:00:00.000001Z",
            "text_id": "a",
            "text": "hi",
            "reference": None,
            "author_id": None,
        },
    }


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--from", "start"), ["a", "b", "c", "d"]),
        (("--from", "1"), ["b", "c", "d"]),
        (("--from", "+1", "--to", "3"), ["b", "c"]),
        (("--from", "1:3"), ["b", "c"]),
        (("--from", ":2"), ["a", "b"]),
        (("--to", "2"), ["a", "b"]),
        (("--from", "-2"), ["c", "d"]),
        (("--from", "end"), []),
        (("--from", "start", "-n", "3"), ["a", "b", "c"]),
        (("--from", "@2026-11-22T10:00:01Z"), ["b", "c", "d"]),
        (("--from", "@2026-11-22T10:00:00.5Z:@2026-11-22T10:00:02Z"), ["b"]),
        (("--from", "@2099-01-01"), []),
        (("--from", "3:1"), []),
    ],
)
def test_positions_choose_the_records(
    settings: Settings, make_topic: Callable[..., str], arguments: tuple[str, ...], expected: list[str]
) -> None:
    topic = make_topic("texts.posted", partitions=1)
    for second, name in enumerate("abcd"):
        value = _encoded(name)
        produce(settings, topic, [{"value": value, "timestamp": 1_795_341_600_000 + second * 1000}])
    assert names(tail(settings, "texts.posted", *arguments)) == expected


def _encoded(name: str) -> bytes:
    from schemas.codec import Codec
    from schemas.schema_set import SchemaSet

    return Codec(SchemaSet.load()).encode(TextPosted(text_id=name), topic="texts.posted")


def test_both_wire_formats_are_read_side_by_side(
    settings: Settings, registry_url: str, make_topic: Callable[..., str]
) -> None:
    make_topic("texts.posted", partitions=1)
    with_registry = msgspec.structs.replace(settings, registry_url=registry_url)
    publish(settings, "single")
    publish(with_registry, "confluent")
    assert names(tail(with_registry, "texts.posted")) == ["single", "confluent"]
    single, confluent = tail(settings, "texts.posted")
    assert single["value"]["text_id"] == "single"
    assert "set SCHEMA_REGISTRY_URL" in confluent["error"]
    assert confluent["hex"].startswith("00")


def test_what_cannot_be_decoded_is_shown_and_not_dropped(settings: Settings, make_topic: Callable[..., str]) -> None:
    topic = make_topic("texts.posted", partitions=1)
    produce(
        settings,
        topic,
        [{"value": b"rubbish" * 10, "key": b"\xff\x00"}, {"value": None, "key": b"gone"}, {"value": _encoded("a")[:-1]}, {"value": b""}],
    )  # fmt: skip
    rubbish, tombstone, cut, empty = tail(settings, "texts.posted")
    assert (rubbish["key"], rubbish["hex"], rubbish["size_bytes"]) == ("hex:ff00", (b"rubbish" * 10)[:32].hex(), 70)
    assert "neither 00 nor c301" in rubbish["error"]
    assert (tombstone["key"], tombstone["value"], "error" in tombstone) == ("gone", None, False)
    assert cut["error"]
    assert "begins with nothing" in empty["error"]
    table = headrace(settings, "tail", "texts.posted").stdout.splitlines()
    assert "cannot be decoded: it begins with 7275" in table[1]
    assert "tombstone" in table[2]


def test_a_dead_letter_is_shown_with_its_story(settings: Settings, make_topic: Callable[..., str]) -> None:
    topic = make_topic("text.dlq", partitions=1)
    headers = [
        ("headrace-error-class", b"Reject"),
        ("headrace-error-message", b"too\x1b[31m\nlong"),
        ("headrace-error-traceback", b"Tr"),
    ]
    produce(settings, topic, [{"value": _encoded("a"), "headers": headers}])
    (shown,) = tail(settings, "text.dlq")
    assert shown["headers"]["headrace-error-class"] == "Reject"
    assert shown["headers"]["headrace-error-traceback"] == "Tr"
    assert shown["value"]["text_id"] == "a"
    table = headrace(settings, "tail", "text.dlq").stdout
    assert "headrace-error-class=Reject" in table
    assert "\x1b" not in table, "what stands in a record must not steer the terminal"
    assert len(table.splitlines()) == 2


def test_one_json_document_holds_all(settings: Settings, make_topic: Callable[..., str]) -> None:
    make_topic("texts.posted", partitions=1)
    publish(settings, "a", "b")
    assert names(json.loads(headrace(settings, "tail", "texts.posted", "-o", "json").stdout)) == ["a", "b"]


def test_what_is_shown_can_be_published_again(settings: Settings, make_topic: Callable[..., str]) -> None:
    make_topic("texts.posted", partitions=1)
    publish(settings, "a")
    (shown,) = tail(settings, "texts.posted")
    assert headrace(settings, "publish", "texts.posted", given=json.dumps(shown["value"])).returncode == 0
    first, second = tail(settings, "texts.posted")
    assert first["value"] == second["value"]


def test_following_shows_what_comes_until_ctrl_c(settings: Settings, make_topic: Callable[..., str]) -> None:
    make_topic("texts.posted", partitions=2)
    publish(settings, "before")
    process = subprocess.Popen(
        command("tail", "texts.posted", "-f", "-o", "jsonl"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(settings),
    )
    assert process.stdout is not None
    assert names([json.loads(process.stdout.readline())]) == ["before"]
    publish(settings, "after")
    assert names([json.loads(process.stdout.readline())]) == ["after"]
    process.send_signal(signal.SIGINT)
    rest, told = process.communicate(timeout=30)
    assert (process.returncode, rest, told.strip()) == (0, "", "")


def test_following_ends_after_n_from_a_position(settings: Settings, make_topic: Callable[..., str]) -> None:
    make_topic("texts.posted", partitions=1)
    publish(settings, "a", "b", "c")
    assert names(tail(settings, "texts.posted", "-f", "--from", "start", "-n", "2")) == ["a", "b"]


def test_a_reader_that_stops_early_is_no_error(settings: Settings, make_topic: Callable[..., str]) -> None:
    make_topic("texts.posted", partitions=1)
    publish(settings, *map(str, range(30)))
    process = subprocess.Popen(
        command("tail", "texts.posted", "--from", "start"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(settings),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    process.wait(30)
    assert b"Traceback" not in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no.such",), "the broker has no topic"),
        (("texts.posted", "--from", "yesterday"), "'yesterday' is no position"),
        (("texts.posted", "--from", "1:2", "--to", "3"), "leave out --to 3"),
        (("texts.posted", "-f", "--to", "3"), "-f has no end"),
        (("texts.posted", "-f", "-o", "json"), "use -o jsonl"),
    ],
)
def test_what_cannot_work_is_one_clear_error(settings: Settings, arguments: tuple[str, ...], told: str) -> None:
    done = headrace(settings, "tail", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_unplugged_broker_is_one_clear_error(settings: Settings) -> None:
    unplugged = msgspec.structs.replace(settings, bootstrap_servers="127.0.0.1:1")
    done = headrace(unplugged, "tail", "texts.posted")
    assert done.returncode == 3
    assert done.stderr.startswith("error: no Kafka broker answers at 127.0.0.1:1 (")
    assert len(done.stderr.splitlines()) == 1
