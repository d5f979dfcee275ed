"""The receipt of many: settled with the last answer, whatever the order of answers and of the end of sending."""

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.bulk import REMEMBERED, BulkReceipt
from producers.errors import DeliveryError, FlushTimeoutError, PublishError, UndeliveredError
from producers.outgoing import Outgoing, Route
from schemas.catalogue import built_in
from schemas.codec import Codec
from schemas.records import TextPosted

WAY = Codec(built_in().schemas).way_out(TextPosted, topic="t")
ROUTE = Route("t", "text_id", WAY.encode, 1_000, WAY)


class Message:
    """A record as librdkafka reports on it."""

    def __init__(self, event: TextPosted) -> None:
        self.event = event

    def key(self) -> bytes:
        return self.event.text_id.encode()

    def value(self) -> bytes:
        return WAY.encode(self.event)


def bulk() -> BulkReceipt:
    def failed(_error: Any, outgoing: Outgoing) -> PublishError:
        return DeliveryError("_TIMED_OUT", "late", topic=outgoing.topic, event_id=outgoing.event.id)

    return BulkReceipt(route=ROUTE, failed=failed)


@given(answers=st.lists(st.booleans(), max_size=130), data=st.data())
def test_it_is_settled_by_the_last_answer_or_the_seal_and_knows_each_failure(
    answers: list[bool], data: st.DataObject
) -> None:
    receipt, called = bulk(), list[int]()
    receipt.when_done(lambda: called.append(1))
    sealed_after = data.draw(st.integers(0, len(answers)))
    events = [TextPosted(text_id=str(number)) for number in range(len(answers))]
    for number, (event, good) in enumerate(zip(events, answers, strict=True)):
        if number == sealed_after:
            receipt.seal(len(answers))
        assert not receipt.done
        assert receipt.missing() == (len(answers) - number if number >= sealed_after else 1)
        receipt(None if good else "error", Message(event))
    if sealed_after == len(answers):
        assert not receipt.done
        receipt.seal(len(answers))
    assert receipt.done
    assert called == [1]
    bad = [event.event_id for event, good in zip(events, answers, strict=True) if not good]
    if not bad:
        assert receipt.result(0) == len(answers)
        return
    with pytest.raises(UndeliveredError) as caught:
        receipt.result(0)
    assert caught.value.count == len(bad)
    assert [failure.event_id for failure in caught.value.failures] == bad[:REMEMBERED]


def test_answers_from_two_threads_are_all_counted() -> None:
    receipt, each = bulk(), 20_000
    threads = [threading.Thread(target=lambda: [receipt(None, None) for _ in range(each)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    receipt.seal(2 * each)
    assert receipt.result(30) == 2 * each
    for thread in threads:
        thread.join()


def test_what_is_missing_is_said_by_its_number() -> None:
    receipt = bulk()
    receipt(None, None)
    receipt.seal(3)
    with pytest.raises(FlushTimeoutError, match="2 events are still unacknowledged"):
        receipt.result(0.01)
