"""rpk's grammar of times and offsets."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.positions import END, START, Position, PositionError, parse, parse_range

NOW_MS = 1_795_341_600_000
offsets = st.integers(0, 10**9 - 1)  # ten digits after a time are a time
moments = st.integers(86_400_000, 7_000_000_000_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
texts = st.one_of(
    st.sampled_from(["start", "end", "@-1h", "@-90m", "@-1d12h", "@2026-11-22", "@1795341600"]),
    offsets.map(str),
    offsets.map("+{}".format),
    offsets.map("-{}".format),
    moments.map(lambda moment: "@" + moment.isoformat().replace("+00:00", "Z")),
)


def since_epoch_ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("start", START),
        ("end", END),
        ("47", Position("offset", 47)),
        ("+2", Position("start", 2)),
        ("-3", Position("end", 3)),
        ("@-1h", Position("time", NOW_MS - 3_600_000)),
        ("@-1d2h3m4s5ms", Position("time", NOW_MS - 93_784_005)),
        ("@2026-11-22T10:00:00Z", Position("time", NOW_MS)),
        ("@2026-11-22T10:00", Position("time", NOW_MS)),
        ("@2026-11-22T12:00:00+02:00", Position("time", NOW_MS)),
        ("@2026-11-22", Position("time", NOW_MS - 36_000_000)),
        ("@1795341600", Position("time", NOW_MS)),
        ("@1795341600000", Position("time", NOW_MS)),
        (" 47 ", Position("offset", 47)),
    ],
)
def test_a_position_is_read(text: str, position: Position) -> None:
    assert parse(text, now_ms=NOW_MS) == position


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "@",
        "@x",
        "@1h",
        "@-",
        "@-1",
        "@-1y",
        "4.7",
        "--3",
        "@2026-13-01",
        "@2026-11-22T25:00",
        "@47",
        "٤٧",
        "1" * 30,
    ],
)
def test_what_is_no_position_is_named_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(PositionError, match="start, end, 47") as caught:
        parse(text, now_ms=NOW_MS)
    assert repr(text) in str(caught.value)
    assert caught.value.exit_code == 2


@given(texts, texts)
def test_a_range_of_two_positions_is_those_two(left: str, right: str) -> None:
    assert parse_range(f"{left}:{right}", now_ms=NOW_MS) == (parse(left, now_ms=NOW_MS), parse(right, now_ms=NOW_MS))


@given(texts)
def test_a_side_of_a_range_may_be_missing(text: str) -> None:
    one = parse(text, now_ms=NOW_MS)
    assert parse_range(text, now_ms=NOW_MS) == (one, None)
    assert parse_range(f"{text}:", now_ms=NOW_MS) == (one, None)
    assert parse_range(f":{text}", now_ms=NOW_MS) == (None, one)


def test_after_a_time_the_end_needs_no_at_sign() -> None:
    assert parse_range("@-2h:-1h", now_ms=NOW_MS) == (
        Position("time", NOW_MS - 7_200_000),
        Position("time", NOW_MS - 3_600_000),
    )


def test_seconds_are_not_taken_for_the_end_of_a_range() -> None:
    assert parse_range("@2026-11-22T10:00:30", now_ms=NOW_MS) == (Position("time", NOW_MS + 30_000), None)


@pytest.mark.parametrize("text", [":", "", "a:b", "1:2:3", "47:x"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(PositionError):
        parse_range(text, now_ms=NOW_MS)


@given(moments, st.integers(-12, 12))
def test_a_time_means_the_same_in_every_zone(moment: datetime, hours: int) -> None:
    text = moment.astimezone(timezone(timedelta(hours=hours))).isoformat()
    assert parse(f"@{text}", now_ms=NOW_MS) == Position("time", since_epoch_ms(moment))


@given(st.text(max_size=30))
def test_any_text_is_a_position_or_an_error_of_ours(text: str) -> None:
    try:
        parse_range(text, now_ms=NOW_MS)
    except PositionError:
        return


@given(texts.filter(lambda text: "@" not in text), offsets, offsets)
def test_an_offset_lies_within_the_log(text: str, low: int, records: int) -> None:
    assert low <= parse(text, now_ms=NOW_MS).within(low, low + records) <= low + records


def test_offsets_count_from_start_and_end() -> None:
    assert [parse(text, now_ms=NOW_MS).within(10, 20) for text in ("start", "end", "15", "+2", "-3", "5", "99")] == [
        10, 20, 15, 12, 17, 10, 20,
    ]  # fmt: skip
