"""What every publisher keeps: on Kafka, in memory, and on an event loop."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from producers import InvalidEventError, PublishError, RecordTooLargeError, UndeliveredError, UnknownTopicError
from producers.bulk import Feed
from producers.errors import DeliveryError
from producers.outgoing import Route
from schemas.catalogue import built_in
from schemas.codec import Codec
from schemas.records import ActivityRecorded, ImageUploaded, TextPosted
from schemas.settings import Settings
from tests.support.publishers import KINDS, open_publisher
from tests.support.topics import read_all

TOPICS = ("texts.posted", "images.uploaded", "activity.recorded")


class Stand:
    """One kind of publisher, with topics of its own, and what it has published."""

    def __init__(self, kind: str, settings: Settings) -> None:
        self.kind = kind
        self.settings = settings
        self.publisher = open_publisher(kind, settings)

    def records(self, topic: str) -> list[tuple[bytes | None, bytes, list[tuple[str, bytes]]]]:
        """Key, value and headers of all that stands in a topic."""
        full = self.settings.prefix + topic
        if self.kind == "memory":
            found = [record for record in self.publisher.sender.records if record.topic() == full]
            return [(record.key, record.value, list(record.headers)) for record in found]
        return [
            (message.key(), message.value() or b"", list(message.headers() or ()))
            for message in read_all(self.settings.bootstrap_servers, full)
        ]

    def events(self, topic: str, kind: type[Any]) -> list[Any]:
        codec = Codec(built_in().schemas)
        return [codec.decode(value, kind) for _, value, _ in self.records(topic)]

    def without_delivery(self, count: int) -> Any:
        """A publisher whose next deliveries fail."""
        if self.kind == "memory":
            self.publisher.sender.fail_next(count)
            return self.publisher
        unplugged = msgspec.structs.replace(
            self.settings, bootstrap_servers="127.0.0.1:1", kafka={"delivery.timeout.ms": "300"}
        )
        return open_publisher(self.kind, unplugged)


@pytest.fixture(params=KINDS)
def stand(request: pytest.FixtureRequest, settings: Settings, make_topic: Callable[..., str]) -> Iterator[Stand]:
    for topic in TOPICS if request.param != "memory" else ():
        make_topic(topic, partitions=2)
    opened = Stand(request.param, settings)
    yield opened
    with opened.publisher:
        pass


def test_an_event_goes_to_the_topic_of_its_record_with_the_topic_s_key(stand: Stand) -> None:
    event = TextPosted(text_id="a-1", text="héllo")
    delivered = stand.publisher.publish(event).result(20)
    assert delivered.topic == f"{stand.settings.prefix}texts.posted"
    assert delivered.offset == 0
    (key, _, headers), *rest = stand.records("texts.posted")
    assert (key, headers, rest) == (b"a-1", [], [])
    assert stand.events("texts.posted", TextPosted) == [event]


def test_key_and_headers_pass_as_they_are(stand: Stand) -> None:
    event = TextPosted(text_id="a-1", text="hi")
    for key, headers in (
        ("text", {"traceparent": "00-ab-cd-01"}),
        (b"\x00\xff", [("correlation-id", b"7"), ("x", "y")]),
    ):
        stand.publisher.publish(event, key=key, headers=headers)
    stand.publisher.flush()
    assert sorted((key, headers) for key, _, headers in stand.records("texts.posted")) == [
        (b"\x00\xff", [("correlation-id", b"7"), ("x", b"y")]),
        (b"text", [("traceparent", b"00-ab-cd-01")]),
    ]


def test_events_of_one_key_stand_in_the_order_of_publishing(stand: Stand) -> None:
    events = [
        ActivityRecorded(user_id=f"u{number % 5}", kind="view", url="/", duration_ms=number) for number in range(300)
    ]
    receipts = stand.publisher.publish_many(events)
    stand.publisher.flush()
    assert all(receipt.done for receipt in receipts)
    found = stand.events("activity.recorded", ActivityRecorded)
    for user in {event.user_id for event in events}:
        assert [event for event in found if event.user_id == user] == [e for e in events if e.user_id == user]


def test_publish_many_takes_keys_from_a_function(stand: Stand) -> None:
    events = [TextPosted(text_id="a", author_id=f"author-{number}", text="t") for number in range(3)]
    stand.publisher.publish_many(events, key=lambda event: event.author_id)
    stand.publisher.flush()
    assert sorted(key for key, _, _ in stand.records("texts.posted")) == [b"author-0", b"author-1", b"author-2"]


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (TextPosted(text_id=7), "text_id"),  # type: ignore[arg-type]
        (TextPosted(text_id="a", text="\ud800"), "text"),
        (ActivityRecorded(user_id="u", kind="stare", url="/", duration_ms=1), "kind"),  # type: ignore[arg-type]
        (ActivityRecorded(user_id="u", kind="view", url="/", duration_ms=2**31), "duration_ms"),
        (ActivityRecorded(user_id="u", kind="view", url="/", duration_ms=1, tags=("a", 3)), "tags[1]"),  # type: ignore[arg-type]
    ],
)
def test_an_invalid_event_is_refused_by_its_field_and_nothing_is_sent(stand: Stand, event: Any, field: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        stand.publisher.publish(event)
    assert caught.value.field == field
    assert field in str(caught.value)
    stand.publisher.flush()
    assert [stand.records(topic) for topic in TOPICS] == [[], [], []]


def test_one_invalid_event_among_many_stops_all_of_them(stand: Stand) -> None:
    with pytest.raises(InvalidEventError, match="text_id") as caught:
        stand.publisher.publish_many([TextPosted(text_id="a"), TextPosted(text_id=None)])  # type: ignore[arg-type]
    assert caught.value.__notes__ == ["event 1 of publish_many; none of them was sent"]
    stand.publisher.flush()
    assert stand.records("texts.posted") == []


def test_a_record_over_the_limit_is_refused_by_its_heaviest_field(stand: Stand) -> None:
    with pytest.raises(RecordTooLargeError) as caught:
        stand.publisher.publish(ImageUploaded(image_id="i", content=b"x" * 300_000))
    error = caught.value
    assert (error.field, error.limit_bytes) == ("content", 278_528)
    assert error.size_bytes > 300_000
    assert "the field content alone has 300,000" in str(error)
    assert "reference" in str(error)
    stand.publisher.flush()
    assert stand.records("images.uploaded") == []


def test_a_payload_of_256_kib_is_within_the_limit(stand: Stand) -> None:
    event = ImageUploaded(image_id="i", content=b"x" * 256 * 1024)
    stand.publisher.publish(event).result(20)
    assert stand.events("images.uploaded", ImageUploaded) == [event]


def test_a_topic_that_nobody_knows_is_named_with_its_remedy(stand: Stand) -> None:
    with pytest.raises(UnknownTopicError, match="headrace init") as caught:
        stand.publisher.publish(TextPosted(text_id="a"), topic="no.such-topic")
    assert caught.value.topic == "no.such-topic"
    assert caught.value.exit_code == 2
    assert f"{stand.settings.prefix}no.such-topic" in str(caught.value)


def test_a_topic_of_another_record_is_refused(stand: Stand) -> None:
    with pytest.raises(
        InvalidEventError, match=r"images\.uploaded carries headrace\.ImageUploaded, not headrace\.TextPosted"
    ):
        stand.publisher.publish(TextPosted(text_id="a"), topic="images.uploaded")


def test_an_undelivered_event_is_raised_by_handle_and_by_flush(stand: Stand) -> None:
    publisher = stand.without_delivery(2)
    receipts = [publisher.publish(TextPosted(text_id="a", text="t")) for _ in range(2)]
    for receipt in receipts:
        with pytest.raises(DeliveryError, match=receipt.event_id):
            receipt.result(30)
    with pytest.raises(UndeliveredError, match="2 events were not delivered") as caught:
        publisher.flush()
    assert {failure.event_id for failure in caught.value.failures} == {receipt.event_id for receipt in receipts}
    publisher.flush()
    publisher.close()


def test_an_undelivered_event_is_raised_by_the_end_of_the_block(stand: Stand) -> None:
    with pytest.raises(UndeliveredError, match="1 event was not delivered"), stand.without_delivery(1) as publisher:
        publisher.publish(TextPosted(text_id="a", text="t"))


def test_an_undelivered_event_is_noted_on_the_error_that_ends_the_block(stand: Stand) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _publish_and_raise(stand.without_delivery(1))
    assert "1 event was not delivered" in caught.value.__notes__[0]


def texts(count: int) -> Iterator[TextPosted]:
    return (TextPosted(text_id=f"t-{number % 7}", text=str(number)) for number in range(count))


def test_publish_all_keeps_each_key_s_order_and_answers_for_all_at_once(stand: Stand) -> None:
    events = list(texts(700))
    receipt = stand.publisher.publish_all(iter(events))
    assert receipt.result(30) == receipt.sent == 700
    found = stand.events("texts.posted", TextPosted)
    assert len(found) == 700
    for name in {event.text_id for event in events}:
        assert [event for event in found if event.text_id == name] == [e for e in events if e.text_id == name]
    stand.publisher.flush()


def test_publish_all_writes_what_publish_writes(stand: Stand) -> None:
    event = TextPosted(text_id="a", text="hi", author_id="me")
    stand.publisher.publish(event, key="me", headers={"correlation-id": "7"})
    stand.publisher.publish_all([event], key=lambda each: each.author_id, headers={"correlation-id": "7"})
    stand.publisher.flush()
    one, other = stand.records("texts.posted")
    assert one == other


def test_publish_all_of_nothing_has_no_receipt(stand: Stand) -> None:
    assert stand.publisher.publish_all([]) is None
    stand.publisher.flush()


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (TextPosted(text_id="a", text="\ud800"), InvalidEventError, "text"),
        (ImageUploaded(image_id="i"), InvalidEventError, "a ImageUploaded among events of TextPosted"),
        (TextPosted(text_id="a", text="x" * 300_000), RecordTooLargeError, "the field text alone has"),
    ],
)
def test_a_wrong_event_ends_publish_all_by_its_place_and_those_before_it_arrive(
    stand: Stand, wrong: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        stand.publisher.publish_all([*texts(3), wrong, *texts(2)])
    assert caught.value.__notes__ == ["event 3 of publish_all; the 3 before it are on their way"]
    stand.publisher.flush()
    assert sorted(event.text for event in stand.events("texts.posted", TextPosted)) == ["0", "1", "2"]


def test_a_source_that_breaks_ends_publish_all_and_what_it_gave_arrives(stand: Stand) -> None:
    def broken() -> Iterator[TextPosted]:
        yield from texts(3)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        stand.publisher.publish_all(broken())
    assert caught.value.__notes__ == ["event 3 of publish_all; the 3 before it are on their way"]
    stand.publisher.flush()
    assert len(stand.events("texts.posted", TextPosted)) == 3


def test_a_feed_counts_what_the_sender_has_done_with() -> None:
    way = Codec(built_in().schemas).way_out(TextPosted, topic="t")
    feed = Feed(texts(3), Route("t", "text_id", way.encode, 1_000, way), None, ())
    records = feed.records()
    for sent in range(3):
        _, key = next(records)
        assert (feed.sent, key) == (sent, f"t-{sent}".encode())
    assert list(records) == []
    assert feed.sent == 3


def test_publish_all_names_every_event_that_was_not_delivered(stand: Stand) -> None:
    events = list(texts(3))
    publisher = stand.without_delivery(3)
    receipt = publisher.publish_all(events)
    with pytest.raises(UndeliveredError, match="3 events were not delivered") as caught:
        receipt.result(30)
    assert [failure.event_id for failure in caught.value.failures] == [event.event_id for event in events]
    with pytest.raises(UndeliveredError, match="3 events were not delivered"):
        publisher.flush()
    publisher.flush()
    publisher.close()


def test_a_closed_publisher_takes_nothing(stand: Stand) -> None:
    stand.publisher.publish(TextPosted(text_id="a"))
    stand.publisher.close()
    assert len(stand.records("texts.posted")) == 1
    with pytest.raises(PublishError, match="closed"):
        stand.publisher.publish(TextPosted(text_id="a"))
    with pytest.raises(PublishError, match="closed"):
        stand.publisher.publish_all(texts(1))
    stand.publisher.close()


def _publish_and_raise(publisher: Any) -> None:
    with publisher:
        publisher.publish(TextPosted(text_id="a", text="t"))
        raise ZeroDivisionError
