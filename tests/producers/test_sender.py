"""The sender on a real broker: order, back-pressure, every delivery reported once."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from confluent_kafka import KafkaError

from producers.sender import Sender, SendError
from schemas.errors import ConfigurationError
from schemas.settings import Settings
from tests.support.librdkafka import MOCK, answer_batches, make_fatal
from tests.support.topics import read_all

NOBODY_LISTENS = "127.0.0.1:1"


@pytest.fixture
def open_sender() -> Iterator[Callable[..., Sender]]:
    opened: list[Sender] = []

    def open_one(settings: Settings, **kafka: str) -> Sender:
        properties = {name.replace("_", "."): value for name, value in kafka.items()}
        sender = Sender(msgspec.structs.replace(settings, kafka=properties), client_id="test-sender")
        opened.append(sender)
        return sender

    yield open_one
    for sender in opened:
        sender.close(0.0)


class Reports:
    """Collects delivery reports."""

    def __init__(self) -> None:
        self.delivered: list[tuple[int, int]] = []
        self.failed: list[str] = []
        self.threads: set[int] = set()

    def __call__(self, error: KafkaError | None, message: Any) -> None:
        self.threads.add(threading.get_ident())
        if error is None:
            self.delivered.append((message.partition(), message.offset()))
        else:
            self.failed.append(error.name())


def test_a_record_arrives_byte_for_byte(
    settings: Settings, make_topic: Callable[..., str], open_sender: Callable[..., Sender]
) -> None:
    topic, reports = make_topic("bytes"), Reports()
    sender = open_sender(settings)
    headers = [("traceparent", b"00-ab"), ("twice", b"1"), ("twice", b"2")]
    sender.send(topic, b"\x00\xff value", key=b"\x00key", headers=headers, on_delivery=reports)
    sender.send(topic, None, key=b"tombstone")
    assert sender.flush(20) == 0
    by_key = {message.key(): message for message in read_all(settings.bootstrap_servers, topic)}
    assert by_key[b"\x00key"].value() == b"\x00\xff value"
    assert by_key[b"\x00key"].headers() == headers
    assert by_key[b"tombstone"].value() is None
    assert reports.delivered == [(by_key[b"\x00key"].partition(), by_key[b"\x00key"].offset())]


def test_many_threads_send_and_each_key_keeps_its_order(
    settings: Settings, make_topic: Callable[..., str], open_sender: Callable[..., Sender]
) -> None:
    topic, reports, each = make_topic("threads"), Reports(), 2_000
    sender = open_sender(settings)

    def send(name: int) -> None:
        for number in range(each):
            sender.send(topic, b"%d" % number, key=b"key-%d" % name, on_delivery=reports)

    threads = [threading.Thread(target=send, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sender.flush(30) == 0
    by_key: dict[bytes, list[int]] = defaultdict(list)
    for message in read_all(settings.bootstrap_servers, topic):
        by_key[message.key() or b""].append(int(message.value() or b""))
    assert by_key == {b"key-%d" % name: list(range(each)) for name in range(8)}
    assert len(set(reports.delivered)) == len(reports.delivered) == 8 * each
    assert len(reports.threads) == 1, "callbacks are promised to run in one thread"
    assert threading.get_ident() not in reports.threads


def test_a_full_queue_is_back_pressure_and_no_error(
    settings: Settings, make_topic: Callable[..., str], open_sender: Callable[..., Sender]
) -> None:
    topic, reports = make_topic("narrow"), Reports()
    sender = open_sender(settings, queue_buffering_max_messages="5")
    for number in range(500):
        sender.send(topic, b"%d" % number, on_delivery=reports)
    assert sender.flush(30) == 0
    assert len(reports.delivered) == 500
    assert not reports.failed


def test_records_that_are_sent_all_at_once_wait_for_room_and_keep_their_order(
    settings: Settings, make_topic: Callable[..., str], open_sender: Callable[..., Sender]
) -> None:
    topic, reports = make_topic("narrow-all", partitions=1), Reports()
    sender = open_sender(settings, queue_buffering_max_messages="5")
    records = [(b"%d" % number, b"k") for number in range(1_000)]
    sender.send_all(topic, iter(records), headers=[("a", b"1")], on_delivery=reports)
    assert sender.flush(30) == 0
    found = read_all(settings.bootstrap_servers, topic)
    assert [(message.value(), message.key()) for message in found] == records
    assert {tuple(message.headers() or ()) for message in found} == {(("a", b"1"),)}
    assert sorted(reports.delivered) == [(0, number) for number in range(1_000)]


def test_no_more_is_taken_from_a_source_than_the_queue_holds(open_sender: Callable[..., Sender]) -> None:
    sender = open_sender(Settings(bootstrap_servers=NOBODY_LISTENS), queue_buffering_max_messages="3")
    taken: list[int] = []

    def source() -> Iterator[tuple[bytes, None]]:
        for number in range(1_000):
            taken.append(number)
            yield b"v", None

    def send() -> None:
        with pytest.raises(SendError, match="closed"):
            sender.send_all("t", source(), on_delivery=Reports())

    thread = threading.Thread(target=send)
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    assert len(taken) == 4
    sender.close(0.1)
    thread.join(20)
    assert not thread.is_alive()


def test_many_threads_serve_and_each_report_is_heard_once(
    settings: Settings, make_topic: Callable[..., str], open_sender: Callable[..., Sender]
) -> None:
    topic, reports, each = make_topic("served"), Reports(), 3_000
    sender = open_sender(settings)

    def send() -> None:
        for number in range(each):
            sender.send(topic, b"%d" % number, on_delivery=reports)
            if not number % 20:
                sender.serve()

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sender.flush(30) == 0
    assert len(set(reports.delivered)) == len(reports.delivered) == 3 * each


def test_who_serves_hears_reports_in_its_own_thread(
    settings: Settings, make_topic: Callable[..., str], open_sender: Callable[..., Sender]
) -> None:
    topic, reports = make_topic("served-here"), Reports()
    sender = open_sender(settings)
    deadline_s = time.monotonic() + 30
    while threading.get_ident() not in reports.threads and time.monotonic() < deadline_s:
        sender.send(topic, b"v", on_delivery=reports)
        sender.serve()
    assert threading.get_ident() in reports.threads


def test_a_callback_may_serve_and_send_without_nesting(
    settings: Settings, make_topic: Callable[..., str], open_sender: Callable[..., Sender]
) -> None:
    topic, sender = make_topic("nested"), open_sender(settings)
    depth, deepest, heard = 0, 0, 0

    def answered(_error: Any, _message: Any) -> None:
        nonlocal depth, deepest, heard
        depth += 1
        deepest, heard = max(deepest, depth), heard + 1
        if heard < 200:
            sender.send(topic, b"again", on_delivery=answered)
        sender.serve()
        depth -= 1

    sender.send(topic, b"first", on_delivery=answered)
    deadline_s = time.monotonic() + 30
    while heard < 200 and time.monotonic() < deadline_s:
        sender.serve()
    assert sender.flush(20) == 0
    assert (heard, deepest) == (200, 1)


def test_an_offer_to_a_full_queue_is_declined(open_sender: Callable[..., Sender]) -> None:
    sender = open_sender(Settings(bootstrap_servers=NOBODY_LISTENS), queue_buffering_max_messages="2")
    assert [sender.offer("t", b"v") for _ in range(3)] == [True, True, False]


def test_whoever_waits_for_room_is_refused_when_the_sender_closes(open_sender: Callable[..., Sender]) -> None:
    sender = open_sender(Settings(bootstrap_servers=NOBODY_LISTENS), queue_buffering_max_messages="1")
    sender.send("t", b"first")
    refused: list[str] = []
    waiting = threading.Event()

    def send() -> None:
        waiting.set()
        try:
            sender.send("t", b"second")
        except SendError as error:
            refused.append(error.name)

    thread = threading.Thread(target=send)
    thread.start()
    waiting.wait()
    sender.close(0.3)
    thread.join(20)
    assert refused == ["_DESTROY"]


def test_without_a_broker_every_record_fails_by_the_delivery_timeout(open_sender: Callable[..., Sender]) -> None:
    reports = Reports()
    sender = open_sender(Settings(bootstrap_servers=NOBODY_LISTENS), delivery_timeout_ms="500")
    for _ in range(20):
        sender.send("t", b"v", on_delivery=reports)
    assert sender.flush(20) == 0
    assert reports.failed == ["_MSG_TIMED_OUT"] * 20
    assert "127.0.0.1:1" in (sender.trouble or "")
    assert "refused" in (sender.trouble or "")


def test_closing_fails_what_is_unacknowledged_and_says_so(
    open_sender: Callable[..., Sender], caplog: pytest.LogCaptureFixture
) -> None:
    reports = Reports()
    sender = open_sender(Settings(bootstrap_servers=NOBODY_LISTENS))
    for _ in range(3):
        sender.send("t", b"v", on_delivery=reports)
    assert sender.flush(0.1) == 3
    sender.close(0.1)
    assert reports.failed == ["_PURGE_QUEUE"] * 3
    assert "3 records were given up" in caplog.text
    with pytest.raises(SendError, match="closed"):
        sender.send("t", b"v")


def test_a_record_beyond_the_client_s_limit_is_refused_at_once(
    settings: Settings, open_sender: Callable[..., Sender]
) -> None:
    sender = open_sender(settings, message_max_bytes="1000", batch_size="1000")
    with pytest.raises(SendError, match="too large") as caught:
        sender.send("t", b"v" * 2000)
    assert caught.value.name == "MSG_SIZE_TOO_LARGE"


def test_a_callback_that_raises_costs_no_other_its_report(
    settings: Settings,
    make_topic: Callable[..., str],
    open_sender: Callable[..., Sender],
    caplog: pytest.LogCaptureFixture,
) -> None:
    topic, reports = make_topic("raises"), Reports()
    sender = open_sender(settings)

    def broken(_error: KafkaError | None, _message: Any) -> None:
        raise ValueError("the callback's own fault")

    for number in range(50):
        sender.send(topic, b"v", on_delivery=broken if number % 10 == 0 else reports)
    assert sender.flush(20) == 0
    assert len(reports.delivered) == 45
    assert caplog.text.count("the callback's own fault") == 5


def test_a_callback_may_send(
    settings: Settings, make_topic: Callable[..., str], open_sender: Callable[..., Sender]
) -> None:
    topic, reports = make_topic("chained"), Reports()
    sender = open_sender(settings)
    for _ in range(20):
        sender.send(topic, b"v", on_delivery=lambda _error, _message: sender.send(topic, b"w", on_delivery=reports))
    assert sender.flush(20) == 0
    assert len(reports.delivered) == 20


def test_a_callback_that_finds_the_queue_full_is_refused_and_never_hangs(
    settings: Settings, make_topic: Callable[..., str], open_sender: Callable[..., Sender]
) -> None:
    topic, refused = make_topic("chained"), list[str]()
    sender = open_sender(settings, queue_buffering_max_messages="1")

    def chain(_error: KafkaError | None, _message: Any) -> None:
        try:
            sender.send(topic, b"w")
        except SendError as error:
            refused.append(error.name)

    sender.send(topic, b"v", on_delivery=chain)
    assert sender.flush(20) == 0
    assert refused == ["_QUEUE_FULL"]


def test_after_a_fatal_error_nothing_is_sent_any_more(
    settings: Settings, open_sender: Callable[..., Sender], caplog: pytest.LogCaptureFixture
) -> None:
    sender = open_sender(settings)
    assert sender.fatal is None
    make_fatal(sender._producer)
    sender.flush(0.1)
    while sender.fatal is None:
        time.sleep(0.01)
    with pytest.raises(SendError, match="made by a test") as caught:
        sender.send("t", b"v")
    assert caught.value.name == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert "fatal" in caplog.text


@pytest.fixture
def mocked(open_sender: Callable[..., Sender]) -> Sender:
    """A sender whose broker answers as it is told, and which knows the topic "t" already."""
    sender = open_sender(Settings(), **MOCK)
    sender.send("t", b"makes the topic")
    assert sender.flush(20) == 0
    return sender


def test_a_record_that_is_acknowledged_without_an_offset_is_sent_once_more_as_it_was(mocked: Sender) -> None:
    reports, headers = Reports(), [("a", b"1")]
    answer_batches(mocked._producer, KafkaError.DUPLICATE_SEQUENCE_NUMBER)
    mocked.send("t", b"taken for stored", key=b"k", headers=headers, on_delivery=reports)
    assert mocked.flush(20) == 0
    answer_batches(mocked._producer, KafkaError.DUPLICATE_SEQUENCE_NUMBER)
    mocked.send_all("t", [(b"one of many", b"k")], headers=headers, on_delivery=reports)
    assert mocked.flush(20) == 0
    assert len(reports.delivered) == 2
    assert reports.failed == []
    (broker,) = mocked._producer.list_topics().brokers.values()
    found = read_all(f"{broker.host}:{broker.port}", "t")
    assert [(m.value(), m.key(), m.headers()) for m in found if m.key()] == [
        (b"taken for stored", b"k", headers),
        (b"one of many", b"k", headers),
    ]


def test_so_it_is_where_nobody_waits_for_the_answer_and_an_error_is_logged(
    mocked: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    answer_batches(mocked._producer, KafkaError.DUPLICATE_SEQUENCE_NUMBER)
    mocked.send("t", b"taken for stored", key=b"k")
    assert mocked.flush(20) == 0
    (broker,) = mocked._producer.list_topics().brokers.values()
    assert [m.value() for m in read_all(f"{broker.host}:{broker.port}", "t") if m.key()] == [b"taken for stored"]
    answer_batches(mocked._producer, *[KafkaError.DUPLICATE_SEQUENCE_NUMBER] * 2)
    mocked.send("t", b"lost")
    assert mocked.flush(20) == 0
    assert "a record for t was not delivered: " in caplog.text


def test_a_second_answer_without_an_offset_is_an_error_for_the_record_may_be_lost(mocked: Sender) -> None:
    reports, twice = Reports(), [KafkaError.DUPLICATE_SEQUENCE_NUMBER] * 2
    answer_batches(mocked._producer, *twice)
    mocked.send("t", b"taken for stored", on_delivery=reports)
    assert mocked.flush(20) == 0
    answer_batches(mocked._producer, *twice)
    mocked.send_all("t", [(b"one of many", None)], on_delivery=reports)
    assert mocked.flush(20) == 0
    mocked.send("t", b"last", on_delivery=reports)
    assert mocked.flush(20) == 0
    assert len(reports.delivered) == 1
    assert reports.failed == ["_INCONSISTENT"] * 2


def test_without_room_to_send_it_once_more_a_record_that_may_be_lost_is_an_error(
    open_sender: Callable[..., Sender],
) -> None:
    sender, reports = open_sender(Settings(), **MOCK, queue_buffering_max_messages="1"), Reports()
    sender.send("t", b"makes the topic")
    assert sender.flush(20) == 0
    answer_batches(sender._producer, KafkaError.DUPLICATE_SEQUENCE_NUMBER)
    sender.send("t", b"taken for stored", on_delivery=reports)
    assert sender.flush(20) == 0
    assert reports.failed == ["_INCONSISTENT"]


@pytest.mark.parametrize(("name", "value"), [("acks", "1"), ("enable.idempotence", "false")])
def test_the_environment_cannot_give_up_the_promise_of_delivery(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match="acks=all") as caught:
        Sender(Settings(kafka={name: value}), client_id="test-sender")
    assert f"KAFKA_{name.upper().replace('.', '_')}={value}" in str(caught.value)


def test_a_misspelt_property_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"sasl\.mechanizm"):
        Sender(Settings(kafka={"sasl.mechanizm": "PLAIN"}), client_id="test-sender")


def test_librdkafka_s_lines_go_to_the_log_and_not_to_stderr(
    open_sender: Callable[..., Sender], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, logger="headrace.kafka")
    sender = open_sender(Settings(bootstrap_servers=NOBODY_LISTENS), delivery_timeout_ms="2500")
    sender.send("t", b"v")
    assert sender.flush(20) == 0
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len([warning for warning in warnings if "Connection refused" in warning]) == 1, (
        "repeats are counted, not said"
    )
    assert any("Connect to" in record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG)
    assert capfd.readouterr().err == ""
