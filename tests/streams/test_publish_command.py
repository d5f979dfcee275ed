"""`headrace publish`: lines in, receipts out, each fault by its line."""

import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from schemas.catalogue import built_in
from schemas.codec import Codec
from schemas.records import TextPosted
from schemas.settings import Settings
from streams.publishing import paced
from tests.support.cli import command, environment, headrace
from tests.support.topics import read_all

GOOD = '{"text_id": "a", "text": "hi"}\n'
BAD = '{"text_id": 3}\n'


def texts(settings: Settings, topic: str) -> list[TextPosted]:
    codec = Codec(built_in().schemas)
    found = read_all(settings.bootstrap_servers, topic)
    return [codec.decode(message.value() or b"", TextPosted) for message in found]


def test_lines_become_events_with_one_receipt_each(
    settings: Settings, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topic, file = make_topic("texts.posted", partitions=1), tmp_path / "texts.jsonl"
    file.write_text('{"text_id": "a"}\n\n{"text_id": "b", "occurred_at": "2026-11-22T10:00:00Z"}\n')
    done = headrace(settings, "publish", "texts.posted", file, "-o", "jsonl")
    assert (done.returncode, done.stderr) == (0, "published 2 events to texts.posted\n")
    receipts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["line"], r["topic"], r["partition"], r["offset"], r["key"]) for r in receipts] == [
        (1, topic, 0, 0, "a"),
        (3, topic, 0, 1, "b"),
    ]
    events = texts(settings, topic)
    assert [event.event_id for event in events] == [receipt["event_id"] for receipt in receipts]
    assert events[1].occurred_at == 1_795_341_600_000_000


def test_without_a_file_it_reads_stdin_and_prints_nothing_on_stdout(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    topic = make_topic("texts.posted")
    done = headrace(settings, "publish", "texts.posted", given=GOOD)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "published 1 event to texts.posted\n")
    assert [event.text for event in texts(settings, topic)] == ["hi"]


def test_a_bad_line_is_told_by_its_number_and_does_not_stop_the_rest(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    topic = make_topic("texts.posted")
    huge = json.dumps({"text_id": "x", "text": "y" * 300_000}) + "\n"
    done = headrace(settings, "publish", "texts.posted", "-", given=GOOD + BAD + "nonsense\n" + huge + GOOD)
    assert done.returncode == 1
    told = done.stderr.splitlines()
    assert told[0] == "line 2: TextPosted.text_id: Expected `str`, got `int`"
    assert told[1].startswith("line 3: no JSON: ")
    assert told[2].startswith("line 4: ")
    assert "the field text alone has 300,0" in told[2]
    assert told[3:] == ["published 2 events to texts.posted; 3 lines not"]
    assert len(texts(settings, topic)) == 2


def test_strict_sends_nothing_unless_all_is_valid(settings: Settings, make_topic: Callable[..., str]) -> None:
    topic = make_topic("texts.posted")
    done = headrace(settings, "publish", "texts.posted", "--strict", given=GOOD + BAD + GOOD)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("nothing was sent: 1 line is not valid\n")
    assert "line 2: " in done.stderr
    assert texts(settings, topic) == []
    done = headrace(settings, "publish", "texts.posted", "--strict", given=GOOD + GOOD)
    assert done.returncode == 0
    assert len(texts(settings, topic)) == 2


def test_the_key_may_be_another_field(settings: Settings, make_topic: Callable[..., str]) -> None:
    topic = make_topic("activity.recorded")
    line = '{"user_id": "u", "kind": "view", "url": "/", "duration_ms": 7}\n'
    done = headrace(settings, "publish", "activity.recorded", "-k", "duration_ms", given=line)
    assert done.returncode == 0
    assert [message.key() for message in read_all(settings.bootstrap_servers, topic)] == [b"7"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no.such",), "the catalogue has no topic no.such; it has activity.recorded,"),
        (("texts.posted", "-k", "nope"), "headrace.TextPosted has no such field; it has event_id"),
        (("texts.posted", "no-such-file.jsonl"), "does not exist"),
        (("texts.posted", "--rate", "0"), "--rate"),
        (("texts.posted", "--catalogue", "no.such"), "--catalogue or HEADRACE_CATALOGUE"),
        (("texts.posted",), "Create the catalogue's topics with: headrace init"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_read(
    settings: Settings, arguments: tuple[str, ...], told: str
) -> None:
    done = headrace(settings, "publish", *arguments, given=GOOD)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unplugged_broker_is_one_clear_error(settings: Settings) -> None:
    unplugged = msgspec.structs.replace(settings, bootstrap_servers="127.0.0.1:1")
    done = headrace(unplugged, "publish", "texts.posted", given=GOOD)
    assert done.returncode == 3
    assert done.stderr.startswith("error: no Kafka broker answers at 127.0.0.1:1 (")
    assert len(done.stderr.splitlines()) == 1


def test_a_record_that_the_broker_refuses_is_told_by_its_line(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    # A batch that is too large is refused whole: the keys "a" and "b" lie in different partitions, and so in different ones.
    make_topic("texts.posted", partitions=3, max_message_bytes=300)
    long = json.dumps({"text_id": "b", "text": "".join(map(chr, range(33, 1000)))}) + "\n"
    done = headrace(settings, "publish", "texts.posted", "-o", "jsonl", given=GOOD + long + GOOD)
    assert done.returncode == 1
    assert [json.loads(line)["line"] for line in done.stdout.splitlines()] == [1, 3]
    assert "line 2: " in done.stderr
    assert "max.message.bytes" in done.stderr


def test_a_user_s_own_catalogue_needs_no_generated_class(
    settings: Settings, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topic = make_topic("orders.placed")
    fields = [
        {"name": "event_id", "type": "string"},
        {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "order_id", "type": "string"},
        {"name": "due", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}], "default": None},
    ]
    package = tmp_path / "corner_shop"
    package.mkdir()
    (package / "order_placed.avsc").write_text(
        json.dumps({"type": "record", "name": "OrderPlaced", "namespace": "corner_shop", "fields": fields})
    )
    (package / "__init__.py").write_text("")
    (package / "agents.py").write_text(
        "from schemas.topics import Topic\n"
        "SCHEMAS = '.'\n"
        "TOPICS = (Topic(name='orders.placed', record='corner_shop.OrderPlaced', key_field='order_id'),)\n"
    )
    lines = '{"order_id": "o1", "due": "2026-11-22T10:00:00Z"}\n{"order_id": 2}\n'
    given = {"HEADRACE_CATALOGUE": "corner_shop.agents", "PYTHONPATH": str(tmp_path)}
    done = headrace(settings, "publish", "orders.placed", given=lines, **given)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        1,
        "line 2: OrderPlaced.order_id: Expected `str`, got `int`",
    )
    (message,) = read_all(settings.bootstrap_servers, topic)
    assert message.key() == b"o1"
    shown = headrace(settings, "tail", "orders.placed", "-o", "jsonl", **given)
    assert json.loads(shown.stdout)["value"]["due"] == "2026-11-22T10:00:00Z"


def test_long_input_has_a_progress_bar_on_a_terminal(
    settings: Settings, make_topic: Callable[..., str], tmp_path: Path
) -> None:
    topic, file = make_topic("activity.recorded"), tmp_path / "clicks.jsonl"
    line = '{"user_id": "u", "kind": "view", "url": "/", "duration_ms": 1, "tags": ["%s"]}\n' % ("t" * 500)
    file.write_text(line * 2_500)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("publish", "activity.recorded", file, "--rate", "2500"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(settings, TERM="xterm", COLUMNS="100"),
    )
    os.close(theirs)
    terminal = b""
    while piece := _read(ours):
        terminal += piece
    os.close(ours)
    stdout, _ = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (0, b"")
    assert b"publishing" in terminal
    assert b"MB" in terminal
    assert len(read_all(settings.bootstrap_servers, topic)) == 2_500


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO when the other side is closed
        return b""


def test_a_registry_that_is_unplugged_ends_it_with_3(settings: Settings, make_topic: Callable[..., str]) -> None:
    topic = make_topic("texts.posted")
    unplugged = msgspec.structs.replace(settings, registry_url="http://127.0.0.1:1")
    done = headrace(unplugged, "publish", "texts.posted", given=GOOD)
    assert done.returncode == 3
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
    assert read_all(settings.bootstrap_servers, topic) == []


def test_the_pace_is_kept_and_a_late_item_does_not_hurry_the_next() -> None:
    now_s, slept = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now_s[0] += seconds

    items = [(number, None) for number in range(4)]
    came_at = []
    for number, _ in paced(items, 10, now_s=lambda: now_s[0], sleep=sleep):
        came_at.append(round(now_s[0], 3))
        now_s[0] += 0.5 if number == 1 else 0.0
    assert came_at == [0.0, 0.1, 0.6, 0.7]
    assert [round(seconds, 3) for seconds in slept] == [0.1, 0.1]
