"""What only a real broker can show of the publisher."""

import asyncio
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator

import msgspec
import pytest
from confluent_kafka import KafkaError

import devstack
from producers import AsyncPublisher, Publisher, RecordTooLargeError, UnknownTopicError
from producers.errors import DeliveryError, UndeliveredError
from schemas.catalogue import Catalogue, built_in
from schemas.codec import Codec
from schemas.names import Names
from schemas.records import ActivityRecorded, TextPosted
from schemas.registry import Registry
from schemas.settings import Settings
from schemas.topics import Topic
from tests.support import plain
from tests.support.broker import scratch_folder
from tests.support.cli import environment
from tests.support.librdkafka import MOCK, answer_batches
from tests.support.topics import read_all


def activity(number: int, *, user: str = "u") -> ActivityRecorded:
    return ActivityRecorded(user_id=user, kind="view", url="/", duration_ms=number)


def test_threads_share_a_publisher_and_each_one_s_order_holds(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    topic, each = make_topic("activity.recorded"), 500

    def publish(user: str) -> None:
        for number in range(each):
            publisher.publish(activity(number, user=user))

    with Publisher(settings) as publisher:
        threads = [threading.Thread(target=publish, args=(f"u{n}",)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    codec, by_user = Codec(built_in().schemas), defaultdict[str, list[int]](list)
    for message in read_all(settings.bootstrap_servers, topic):
        event = codec.decode(message.value() or b"", ActivityRecorded)
        by_user[event.user_id].append(event.duration_ms)
    assert by_user == {f"u{n}": list(range(each)) for n in range(6)}


@pytest.fixture
def own_stack() -> Iterator[devstack.Stack]:
    with scratch_folder() as folder, devstack.up(port=0, data=folder) as stack:
        yield stack


@pytest.mark.slow
def test_a_broker_that_is_killed_and_comes_back_loses_doubles_and_swaps_nothing(own_stack: devstack.Stack) -> None:
    settings = Settings(bootstrap_servers=own_stack.bootstrap_servers)
    _create(settings, "activity.recorded")
    receipts = []
    with Publisher(settings) as publisher:
        for number in range(6_000):
            receipts.append(publisher.publish(activity(number)))
            if number == 3_000:
                publisher.flush()
            if number == 3_500:
                own_stack.kill(0)
            if number == 5_000:
                own_stack.start(0)
    assert all(receipt.done for receipt in receipts)
    codec = Codec(built_in().schemas)
    found = [
        codec.decode(message.value() or b"", ActivityRecorded).duration_ms
        for message in read_all(settings.bootstrap_servers, "activity.recorded")
    ]
    assert found == list(range(6_000))


def _create(settings: Settings, topic: str) -> None:
    plain.create_topic(plain.admin_of(settings.bootstrap_servers), topic)


def test_a_limit_that_only_the_broker_knows_comes_back_by_the_handle(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    make_topic("texts.posted", max_message_bytes=1_000)
    publisher = Publisher(settings)
    receipt = publisher.publish(TextPosted(text_id="a", text=_incompressible(5_000)))
    with pytest.raises(RecordTooLargeError, match=r"max\.message\.bytes") as caught:
        receipt.result(20)
    assert caught.value.field == "text"
    with pytest.raises(Exception, match="1 event was not delivered"):
        publisher.close()


def test_a_topic_s_own_max_message_bytes_is_the_limit(settings: Settings, make_topic: Callable[..., str]) -> None:
    make_topic("wide", max_message_bytes=900_000)
    topic = Topic(name="wide", record="headrace.TextPosted", config={"max.message.bytes": "900000"})
    catalogue = Catalogue({"wide": topic}, built_in().schemas)
    with Publisher(settings, catalogue) as publisher:
        publisher.publish(TextPosted(text_id="a", text=_incompressible(890_000))).result(20)
        with pytest.raises(RecordTooLargeError, match="899,488"):
            publisher.publish(TextPosted(text_id="a", text=_incompressible(900_000)))


def _incompressible(size: int) -> str:
    import random

    letters = random.Random(1)
    return "".join(chr(letters.randrange(32, 127)) for _ in range(size))


def test_a_topic_of_the_catalogue_that_is_not_on_the_broker_says_headrace_init(settings: Settings) -> None:
    with Publisher(settings) as publisher:
        with pytest.raises(UnknownTopicError, match="headrace init") as caught:
            publisher.publish(TextPosted(text_id="a"))
        assert "catalogue has no" not in str(caught.value)


def test_a_topic_that_appears_later_is_found(settings: Settings, make_topic: Callable[..., str]) -> None:
    with Publisher(settings) as publisher:
        with pytest.raises(UnknownTopicError):
            publisher.publish(TextPosted(text_id="a"))
        make_topic("texts.posted")
        assert publisher.publish(TextPosted(text_id="a")).result(20).offset == 0


def test_a_topic_beyond_the_catalogue_is_fine_when_it_is_named(
    settings: Settings, make_topic: Callable[..., str]
) -> None:
    topic = make_topic("side")
    with Publisher(settings) as publisher:
        assert publisher.publish(TextPosted(text_id="a"), topic="side", key="k").result(20).topic == topic


def test_an_unplugged_broker_is_named_by_the_handle(settings: Settings) -> None:
    unplugged = msgspec.structs.replace(settings, bootstrap_servers="127.0.0.1:1", kafka={"delivery.timeout.ms": "500"})
    publisher = Publisher(unplugged)
    receipt = publisher.publish(TextPosted(text_id="a"))
    with pytest.raises(DeliveryError, match=r"127\.0\.0\.1:1.*refused.*_MSG_TIMED_OUT"):
        receipt.result(20)
    with pytest.raises(Exception, match="not delivered"):
        publisher.close()


def test_with_a_registry_the_value_carries_the_registered_schema(
    settings: Settings, registry_url: str, make_topic: Callable[..., str]
) -> None:
    topic, event = make_topic("texts.posted"), TextPosted(text_id="a", text="t")
    with Publisher(msgspec.structs.replace(settings, registry_url=registry_url)) as publisher:
        publisher.publish(event).result(20)
    (message,) = read_all(settings.bootstrap_servers, topic)
    assert (message.value() or b"")[:1] == b"\x00"
    codec = Codec(built_in().schemas, registry=Registry(registry_url), names=Names(settings.prefix))
    assert codec.decode(message.value() or b"", TextPosted) == event


def test_many_tasks_await_their_receipts(settings: Settings, make_topic: Callable[..., str]) -> None:
    make_topic("activity.recorded")

    async def publish_and_wait(publisher: AsyncPublisher, number: int) -> tuple[int, int]:
        receipt = await publisher.publish(activity(number, user=f"u{number}"))
        delivered = await receipt
        return delivered.partition, delivered.offset

    async def main() -> list[tuple[int, int]]:
        async with AsyncPublisher(Publisher(settings)) as publisher:
            return await asyncio.gather(*(publish_and_wait(publisher, number) for number in range(300)))

    assert len(set(asyncio.run(main()))) == 300


def test_a_full_queue_does_not_block_the_event_loop(settings: Settings, make_topic: Callable[..., str]) -> None:
    make_topic("texts.posted")
    narrow = msgspec.structs.replace(settings, kafka={"queue.buffering.max.messages": "2", "linger.ms": "50"})

    async def main() -> int:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.001)
                beats += 1

        heart = asyncio.ensure_future(beat())
        async with AsyncPublisher(Publisher(narrow)) as publisher:
            for number in range(20):
                await publisher.publish(TextPosted(text_id=str(number)))
        heart.cancel()
        return beats

    assert asyncio.run(main()) > 20


def test_a_program_that_forgets_to_close_loses_nothing(settings: Settings, make_topic: Callable[..., str]) -> None:
    topic = make_topic("texts.posted")
    script = (
        "from producers import Publisher\n"
        "from schemas.records import TextPosted\n"
        "from schemas.settings import from_environment\n"
        "publisher = Publisher(from_environment())\n"
        "for number in range(500): publisher.publish(TextPosted(text_id=str(number)))\n"
    )
    subprocess.run([sys.executable, "-c", script], env=environment(settings), check=True, timeout=60)
    assert len(read_all(settings.bootstrap_servers, topic)) == 500


def test_an_event_that_the_client_twice_only_takes_for_stored_is_undelivered_and_nobody_waits_for_it() -> None:
    with Publisher(Settings(kafka=MOCK)) as publisher:
        client = publisher._outlet._producer
        client.produce("t", b"makes the topic")
        client.flush(20)
        answer_batches(client, *[KafkaError.DUPLICATE_SEQUENCE_NUMBER] * 2)
        receipt = publisher.publish(activity(1), topic="t")
        with pytest.raises(DeliveryError, match="without an offset"):
            receipt.result(20)
        with pytest.raises(UndeliveredError):
            publisher.flush()
