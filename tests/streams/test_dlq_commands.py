"""`headrace dlq ls`, `show`, `export` and `discard`: what is said of dead letters, and what never reaches the terminal."""

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.codec import Codec
from schemas.records import TextPosted
from schemas.registry import Registry
from schemas.schema_set import SchemaSet
from schemas.settings import Settings
from tests.support.cli import headrace
from tests.support.flows import Flow, eventually
from tests.support.kits import SHOP
from tests.support.letters import NOW_MS, Dead, Morgue

EVENT = TextPosted(text_id="a", text="hi", occurred_at=NOW_MS * 1000)


@pytest.fixture
def morgue(settings: Settings, make_topic: Callable[..., str]) -> Morgue:
    return Morgue(settings, make_topic)


def listed(settings: Settings, *arguments: str) -> list[dict[str, Any]]:
    done = headrace(settings, "dlq", *arguments, "-o", "jsonl")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def encoded(settings: Settings) -> bytes:
    registry = Registry(settings.registry_url) if settings.registry_url else None
    return Codec(SchemaSet.load(), registry=registry, names=settings.names).encode(
        EVENT, topic=settings.names.topic("texts.posted")
    )


def test_letters_are_grouped_by_agent_and_error_with_counts_times_and_the_latest_example(morgue: Morgue) -> None:
    morgue.write(
        Dead(1, message="first", last_ms=NOW_MS),
        Dead(2, message="latest", last_ms=NOW_MS + 2000),
        Dead(3, error="ValueError"),
        Dead(4, agent="images", topic="images.uploaded", error="TruncatedError"),
    )
    rows = listed(morgue.settings, "ls")
    assert [(row["agent"], row["error"], row["open"]) for row in rows] == [
        ("images", "TruncatedError", 1),
        ("text", "KeyError", 2),
        ("text", "ValueError", 1),
    ]
    assert rows[1] | {"agent": 0, "error": 0} == {
        "agent": 0,
        "error": 0,
        "open": 2,
        "redriven": 0,
        "discarded": 0,
        "first_seen": "2026-11-22T10:00:00.000Z",
        "last_seen": "2026-11-22T10:00:02.000Z",
        "example": "latest",
        "example_id": "text/texts.posted/0/2",
    }


def test_a_query_narrows_and_each_lists_single_letters_with_their_ids(morgue: Morgue) -> None:
    morgue.write(Dead(1, key=b"42"), Dead(2, message="the till is Busy"), Dead(3, last_ms=NOW_MS + 60_000))

    def ids(query: str) -> list[str]:
        return [row["id"].rpartition("/")[2] for row in listed(morgue.settings, "ls", "--each", "-q", query)]

    assert ids("") == ["1", "2", "3"]
    assert ids("key:42") == ["1"]
    assert ids('error:"till is busy"') == ["2"]
    assert ids("since:@2026-11-22T10:01:00Z") == ["3"]
    assert ids("until:@2026-11-22T10:01:00Z agent:text topic:texts.posted") == ["1", "2"]
    assert ids("agent:images") == []
    (row,) = listed(morgue.settings, "ls", "--each", "-q", "key:42")
    assert (row["id"], row["state"], row["error"], row["attempts"]) == ("text/texts.posted/0/1", "open", "KeyError", 4)


def test_a_record_that_was_given_up_twice_is_one_letter(morgue: Morgue) -> None:
    morgue.write(Dead(1, message="first"), Dead(1, message="second"))
    (row,) = listed(morgue.settings, "ls", "--each")
    assert (row["message"], row["letter_offset"]) == ("second", 1)


def test_discarded_letters_are_listed_no_longer_and_stay_in_their_topic(morgue: Morgue) -> None:
    morgue.write(Dead(1), Dead(2), Dead(3, error="ValueError"))
    done = headrace(morgue.settings, "dlq", "discard", "-q", "error:KeyError", "--yes")
    assert (done.returncode, done.stderr) == (0, "2 letters discarded\n")
    assert [row["error"] for row in listed(morgue.settings, "ls")] == ["ValueError"]
    everything = {
        row["error"]: (row["open"], row["discarded"]) for row in listed(morgue.settings, "ls", "-q", "state:all")
    }
    assert everything == {"KeyError": (0, 2), "ValueError": (1, 0)}
    assert [row["state"] for row in listed(morgue.settings, "ls", "--each", "-q", "state:discarded")] == [
        "discarded"
    ] * 2
    assert len(morgue.read("text.dlq")) == 3
    state = morgue.states()["text/texts.posted/0/2"]
    assert state.pop("at_ms") > 0
    assert state == {"state": "discarded", "redrives": 0, "letter_offset": 1, "letter_partition": 0}
    again = headrace(morgue.settings, "dlq", "discard", "text/texts.posted/0/1", "--yes")
    assert (again.returncode, again.stdout) == (0, "")
    assert "left out: 1 letter discarded already" in again.stderr


def test_a_letter_is_shown_whole_in_either_wire_format(morgue: Morgue, registry_url: str) -> None:
    with_registry = msgspec.structs.replace(morgue.settings, registry_url=registry_url)
    own: list[tuple[str, bytes | None]] = [("correlation-id", b"c"), ("headrace-agent", b"images")]
    morgue.write(
        Dead(1, value=encoded(morgue.settings), headers=own), Dead(2, value=encoded(with_registry), redrives=2)
    )
    for offset in (1, 2):
        (shown,) = listed(with_registry, "show", f"text/texts.posted/0/{offset}")
        assert (shown["record"], shown["value"]["text_id"]) == ("headrace.TextPosted", "a")
        assert shown["value"]["occurred_at"] == "2026-11-22T10:00:00Z"
    (first,) = listed(morgue.settings, "show", "text/texts.posted/0/1")
    assert first["headers"] == [["correlation-id", "c"], ["headrace-agent", "images"]]
    assert first["origin"] == {
        "topic": f"{morgue.settings.prefix}texts.posted", "partition": 0, "offset": 1, "timestamp": "2026-11-22T09:59:59.990Z",
    }  # fmt: skip
    assert first["traceback"].endswith("boom")
    text = headrace(morgue.settings, "dlq", "show", "text/texts.posted/0/1").stdout
    for told in ("state       open", "KeyError", "no article", "correlation-id=c", '"text_id": "a"', "  boom"):
        assert told in text


def test_what_cannot_be_decoded_is_shown_in_hex_with_the_reason(morgue: Morgue) -> None:
    morgue.write(Dead(1, value=b"rubbish", key=b"\xff"), Dead(2, value=None, key=None))
    (rubbish,) = listed(morgue.settings, "show", "text/texts.posted/0/1")
    assert (rubbish["hex"], rubbish["key"], rubbish["size_bytes"]) == (b"rubbish".hex(), "hex:ff", 7)
    assert "neither 00 nor c301" in rubbish["undecoded"]
    text = headrace(morgue.settings, "dlq", "show", "text/texts.posted/0/1").stdout
    assert f"hex {b'rubbish'.hex()}" in text
    (tombstone,) = listed(morgue.settings, "show", "text/texts.posted/0/2")
    assert (tombstone["value"], tombstone["key"]) == (None, None)


@pytest.mark.parametrize("arguments", [("ls",), ("ls", "--each"), ("show", "text/texts.posted/0/1"), ("export",)])
def test_no_control_character_of_a_letter_reaches_the_terminal(morgue: Morgue, arguments: tuple[str, ...]) -> None:
    evil = "\x1b[2J\x9b31m\x7f\r\n\x07\u202eend"
    event = TextPosted(text_id=evil, text=evil)
    value = Codec(SchemaSet.load()).encode(event, topic="t")
    morgue.write(
        Dead(
            1,
            key=evil.encode(),
            value=value,
            error=evil,
            message=evil,
            headers=[(evil, evil.encode()), ("raw", b"\x9b")],
        )
    )
    forms: list[tuple[str, ...]] = [()] if arguments == ("export",) else [(), ("-o", "json"), ("-o", "jsonl")]
    for form in forms:
        done = headrace(morgue.settings, "dlq", *arguments, *form)
        assert done.returncode == 0, done.stderr
        assert "end" in done.stdout
        assert not [
            letter for letter in done.stdout if letter != "\n" and (ord(letter) < 32 or 127 <= ord(letter) < 160)
        ]


def test_an_export_has_all_that_it_takes_to_send_a_letter_elsewhere(morgue: Morgue, tmp_path: Path) -> None:
    own: list[tuple[str, bytes | None]] = [("bytes", b"\xff\x00"), ("empty", None)]
    morgue.write(
        Dead(1, key=b"\xff", value=b"rubbish", headers=own),
        Dead(2, value=encoded(morgue.settings)),
        Dead(3, agent="images"),
    )
    file = tmp_path / "letters.jsonl"
    done = headrace(morgue.settings, "dlq", "export", "-q", "agent:text", file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "exported 2 dead letters\n")
    assert file.stat().st_mode & 0o777 == 0o600
    first, second = [json.loads(line) for line in file.read_text().splitlines()]
    assert base64.b64decode(first["value_base64"]) == b"rubbish"
    assert base64.b64decode(first["key_base64"]) == b"\xff"
    headers = [(name, None if value is None else base64.b64decode(value)) for name, value in first["headers_base64"]]
    assert headers == [*own, *Dead(1).story(morgue.settings.prefix)]
    assert second["value"]["text_id"] == "a"
    again = headrace(morgue.settings, "dlq", "export", file)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert len(headrace(morgue.settings, "dlq", "export", "-").stdout.splitlines()) == 3


def test_what_an_agent_gives_up_is_found_read_and_sent_to_it_again(shop: Flow) -> None:
    for name, more in (
        ("threads.dlq", {}),
        ("threads.retry.0s", {}),
        ("headrace.dead-letters", {"cleanup_policy": "compact"}),
    ):
        shop.make_topic(name, partitions=1, **more)
    shop.place(("good", "ok"), ("bad", "reject:no such article"))
    with shop.running("threads"):
        eventually(lambda: shop.lag("threads") == 0)

    def dlq(*arguments: str) -> subprocess.CompletedProcess[str]:
        return headrace(shop.settings, "dlq", *arguments, HEADRACE_CATALOGUE=SHOP)

    (row,) = json.loads(dlq("ls", "--each", "-q", "agent:threads error:reject", "-o", "json").stdout)
    assert (row["message"], row["key"], row["attempts"]) == ("no such article", "bad", 1)
    (shown,) = json.loads(dlq("show", row["id"], "-o", "json").stdout)
    assert (shown["record"], shown["value"]["wish"]) == ("shop.OrderPlaced", "reject:no such article")
    done = dlq("redrive", row["id"], "--yes")
    assert (done.returncode, done.stderr) == (0, "1 letter sent again\n")
    (placed,) = [record for record in shop.read(shop.placed) if record.key() == b"bad"]
    (again,) = shop.read(f"{shop.settings.prefix}threads.retry.0s")
    assert (again.key(), again.value()) == (placed.key(), placed.value())
    assert dict(again.headers())["headrace-origin-offset"] == str(placed.offset()).encode()


def test_nothing_to_list_is_said_and_no_failure(morgue: Morgue) -> None:
    done = headrace(morgue.settings, "dlq", "ls")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no dead letters" in done.stderr
    assert listed(morgue.settings, "ls") == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ls", "-q", "colour:red"), "there is no field 'colour'"),
        (("ls", "-q", "agent:nobody"), "there is no agent 'nobody'; the catalogue has images, text"),
        (("show", "17"), "of the form agent/topic/partition/offset"),
        (("show", "nobody/texts.posted/0/1"), "there is no agent 'nobody'"),
        (("show", "text/texts.posted/0/99"), "no dead letter text/texts.posted/0/99"),
        (("discard",), "say which letters are meant, in one way"),
        (("redrive", "--all", "-q", "agent:text"), "say which letters are meant, in one way"),
        (
            ("redrive", "text/texts.posted/0/1", "text/texts.posted/0/98", "--yes"),
            "no dead letter text/texts.posted/0/98",
        ),
        (("redrive", "--all", "--edit"), "--edit is for one letter"),
        (("redrive", "--all"), "this is no terminal to ask at"),
        (("discard", "--all"), "this is no terminal to ask at"),
        (("export", "/no/such/folder/file"), "cannot be written"),
    ],
)
def test_what_cannot_work_is_one_clear_error_and_nothing_is_done(
    morgue: Morgue, arguments: tuple[str, ...], told: str
) -> None:
    morgue.write(Dead(1))
    done = headrace(morgue.settings, "dlq", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert morgue.states() == {}
    assert morgue.read("text.retry.0s") == []


def test_missing_topics_are_named_with_the_remedy(settings: Settings, make_topic: Callable[..., str]) -> None:
    make_topic("images.dlq")
    done = headrace(settings, "dlq", "ls")
    assert done.returncode == 2
    missing = [
        f"{settings.prefix}{name}" for name in ("analytics.dlq", "overview.dlq", "text.dlq", "headrace.dead-letters")
    ]
    assert f"the broker has no topic {', '.join(missing)};" in done.stderr
    assert "headrace init" in done.stderr
    make_topic("text.dlq", partitions=1)
    make_topic("headrace.dead-letters", partitions=1, cleanup_policy="compact")
    assert headrace(settings, "dlq", "ls", "-q", "agent:text").returncode == 0


@pytest.mark.parametrize("arguments", [("ls",), ("redrive", "--all", "--yes")])
def test_an_unplugged_broker_is_exit_code_3(settings: Settings, arguments: tuple[str, ...]) -> None:
    unplugged = msgspec.structs.replace(settings, bootstrap_servers="127.0.0.1:1")
    done = headrace(unplugged, "dlq", *arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: no Kafka broker answers at 127.0.0.1:1 (")
    assert len(done.stderr.splitlines()) == 1
