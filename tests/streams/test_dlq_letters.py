"""What a dead letter is, when it is open, in which order letters go, and which are left out: all of it pure."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.names import Names
from streams.dead_letters.boxes import Filed
from streams.dead_letters.letters import Letter, LetterId, LetterIdError, letter_of, own_headers, parse_id
from streams.dead_letters.ordering import in_order
from streams.dead_letters.plans import plan_discard, plan_redrive, rows
from streams.dead_letters.routes import Route
from streams.dead_letters.states import Recorded, StateError, States, state_of
from tests.support.letters import NOW_MS, Dead

NAMES = Names("shop.")


class Given:
    """A record of a dead-letter topic, without a broker."""

    def __init__(
        self, headers: Any, *, key: bytes | None = b"k", value: bytes | None = b"v", place: tuple[int, int] = (0, 7)
    ) -> None:
        self._headers, self._key, self._value, self._place = headers, key, value, place

    def headers(self) -> Any:
        return self._headers

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def topic(self) -> str:
        return "shop.text.dlq"

    def partition(self) -> int:
        return self._place[0]

    def offset(self) -> int:
        return self._place[1]

    def timestamp(self) -> tuple[int, int]:
        return 1, NOW_MS


def read(headers: Any, **more: Any) -> Letter:
    return letter_of(Given(headers, **more), agent="text", names=NAMES)  # type: ignore[arg-type]


def letter(
    offset: int = 0,
    *,
    key: bytes | None = b"k",
    redrives: int = 0,
    topic: str = "texts.posted",
    place: tuple[int, int] = (0, 5),
) -> Letter:
    return Letter(
        id=LetterId("text", topic, 0, offset), has_origin=True,
        origin_ms=0, key=key, error_class="KeyError", error_message="", attempts=1,
        first_failure_ms=0, last_failure_ms=0, redrives=redrives, partition=place[0], offset=place[1],
    )  # fmt: skip


def test_the_story_is_read_off_the_headers_and_the_prefix_is_left_out() -> None:
    found = read(Dead(17, partition=3, redrives=2).story("shop."))
    assert str(found.id) == "text/texts.posted/3/17"
    assert (found.error_class, found.error_message, found.attempts, found.redrives) == ("KeyError", "no article", 4, 2)
    assert (found.first_failure_ms, found.last_failure_ms, found.place) == (NOW_MS - 5, NOW_MS, (0, 7))


@pytest.mark.parametrize(
    "headers", [None, [], [("headrace-origin-offset", b"x" * 99)], [("headrace-origin-topic", None)]]
)
def test_a_letter_without_a_story_is_its_own_origin(headers: Any) -> None:
    found = read(headers)
    assert (str(found.id), found.has_origin, found.last_failure_ms) == ("text/text.dlq/0/7", False, NOW_MS)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "headrace-origin-topic",
                    "headrace-origin-offset",
                    "headrace-attempts",
                    "headrace-redrives",
                    "headrace-error-class",
                    "x",
                ]
            ),
            st.none() | st.binary(max_size=30),
        )
    )
)
def test_no_headers_are_too_strange_to_be_read(headers: Any) -> None:
    found = read(headers)
    assert parse_id(str(found.id)) == found.id


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "headrace-agent", "headrace-error-class", "headrace-origin-topic"]),
            st.binary(max_size=3),
        )
    )
)
def test_the_origins_own_headers_come_back_byte_for_byte_those_of_the_same_names_too(own: Any) -> None:
    assert own_headers([*own, *Dead(1).story("shop.")]) == own


def test_the_last_of_a_name_tells_the_story() -> None:
    brought = [("headrace-agent", b"images"), ("headrace-origin-topic", b"shop.images.uploaded")]
    assert str(read([*brought, *Dead(1, topic="images.dlq").story("shop.")]).id) == "text/images.dlq/0/1"


@pytest.mark.parametrize(
    "text",
    ["", "x", "text/a/0", "text/a/0/x", "text/a/0/1/2", "Text/a/0/1", "text/a b/0/1", "text/a/-1/1", "text/a/0/١"],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(LetterIdError, match="agent/topic/partition/offset"):
        parse_id(text)


def recorded(state: Any, redrives: int, *, at: tuple[int, int] = (0, 5)) -> Recorded:
    return Recorded(state=state, redrives=redrives, at_ms=0, letter_partition=at[0], letter_offset=at[1])


@pytest.mark.parametrize(
    ("found", "known", "state"),
    [
        (letter(), None, "open"),
        (letter(redrives=0), recorded("redriven", 1), "redriven"),
        (letter(redrives=1), recorded("redriven", 1), "open"),  # it came back
        (letter(redrives=2), recorded("redriven", 1), "open"),
        (letter(redrives=0), recorded("discarded", 0), "discarded"),
        (letter(redrives=1), recorded("discarded", 1), "discarded"),
        (letter(redrives=2), recorded("discarded", 1), "open"),
        (letter(place=(0, 6)), recorded("redriven", 1), "open"),  # given up again, as after a rewind
        (letter(place=(0, 4)), recorded("redriven", 1), "redriven"),
        (letter(place=(1, 6)), recorded("redriven", 1), "redriven"),
    ],
)
def test_a_letter_is_open_until_something_is_done_and_again_when_it_comes_back(
    found: Letter, known: Any, state: str
) -> None:
    assert state_of(found, known) == state


def test_a_tombstone_makes_a_letter_open_and_what_cannot_be_read_is_no_open_letter() -> None:
    key = str(letter().id).encode()
    assert States({key: b""}).of(letter()) == "open"
    for rubbish in (b"{", b"[]", b"\xff", b'{"state":"burnt","redrives":1,"at_ms":0,"letter_offset":0}'):
        with pytest.raises(StateError, match=r"text/texts\.posted/0/0"):
            States({key: rubbish}).of(letter())


@given(st.data())
def test_letters_of_one_key_go_in_the_order_of_their_offsets_whatever_order_they_lie_in(data: Any) -> None:
    keys = data.draw(st.lists(st.sampled_from([b"a", b"b", b"c", None]), max_size=12))
    wanted = [letter(offset, key=key) for offset, key in enumerate(keys)]
    lying = data.draw(st.permutations(wanted))
    gone = data.draw(st.sets(st.sampled_from(range(len(keys)))) if keys else st.just(set()))
    there = [(each, each.id.offset) for each in lying if each.id.offset not in gone]
    sent = [item for _, item in in_order(there, wanted)]
    assert sorted(sent) == sorted(item for _, item in there)
    for key in (b"a", b"b", b"c"):
        of_key = [offset for offset in sent if keys[offset] == key]
        assert of_key == sorted(of_key)


def test_letters_that_lie_in_order_are_not_held_back() -> None:
    wanted = [letter(offset) for offset in range(3)]
    taken = []

    def found() -> Any:
        for each in wanted:
            taken.append(each)
            yield each, None

    for number, _ in enumerate(in_order(found(), wanted), start=1):
        assert len(taken) == number


ROUTE = Route(NAMES, "shop.text.retry.0s", origins=frozenset({"texts.posted"}))
BACK = Route(NAMES, "shop.text.retry.0s", to_origin=True, origins=frozenset({"texts.posted"}))


def test_the_plan_leaves_out_what_is_on_its_way_and_what_came_back_too_often() -> None:
    filed = [
        Filed(letter(1), "open", None),
        Filed(letter(2), "redriven", recorded("redriven", 1)),
        Filed(letter(3, redrives=3), "open", None),
        Filed(letter(4), "discarded", recorded("discarded", 0)),
    ]
    plan = plan_redrive(filed, {"text": ROUTE}, max_redrives=3)
    assert [each.id.offset for each in plan.letters] == [1, 4]
    assert sorted(plan.left_out.values()) == [1, 1]
    assert rows(plan, {"text": ROUTE}) == [
        {"agent": "text", "error": "KeyError", "letters": 2, "to": "shop.text.retry.0s"}
    ]
    assert [each.id.offset for each in plan_discard(filed).letters] == [1, 3]


def test_to_the_origin_goes_only_what_its_agent_reads_and_the_plan_names_who_reads_along() -> None:
    filed = [Filed(letter(1), "open", None), Filed(letter(2, topic="other"), "open", None)]
    plan = plan_redrive(filed, {"text": BACK}, max_redrives=3)
    assert [each.id.offset for each in plan.letters] == [1]
    readers = {"shop.texts.posted": ["shop.text", "shop.search"]}
    (row,) = rows(plan, {"text": BACK}, readers)
    assert (row["to"], row["seen_again_by"]) == ("shop.texts.posted", "shop.search")
    assert rows(plan, {"text": BACK}, {})[0]["seen_again_by"] == "no other group"


def test_a_redriven_record_has_its_own_headers_its_origin_and_a_count_and_begins_anew() -> None:
    own: list[tuple[str, bytes | None]] = [("headrace-agent", b"images"), ("correlation-id", b"c\xff"), ("empty", None)]
    message = Given([*own, *Dead(17, redrives=1).story("shop.")])
    found = letter_of(message, agent="text", names=NAMES)  # type: ignore[arg-type]
    record = ROUTE.record_of(found, message, value=b"v")  # type: ignore[arg-type]
    assert (record.topic, record.key, record.value) == ("shop.text.retry.0s", b"k", b"v")
    assert record.headers == [
        *own,
        ("headrace-origin-topic", b"shop.texts.posted"),
        ("headrace-origin-partition", b"0"),
        ("headrace-origin-offset", b"17"),
        ("headrace-origin-timestamp-ms", str(NOW_MS - 10).encode()),
        ("headrace-redrives", b"2"),
        ("headrace-due-ms", b"0"),
    ]
    back = BACK.record_of(found, message, value=b"v")  # type: ignore[arg-type]
    assert back.topic == "shop.texts.posted"
    assert back.headers == [*own, ("headrace-redrives", b"2")]


def test_a_letter_without_an_origin_keeps_its_own_place_so_that_its_id_stays() -> None:
    message = Given([("x", b"y")])
    found = letter_of(message, agent="text", names=NAMES)  # type: ignore[arg-type]
    record = ROUTE.record_of(found, message, value=None)  # type: ignore[arg-type]
    assert read(list(record.headers)).id == found.id
    assert BACK.topic_of(found) is None
