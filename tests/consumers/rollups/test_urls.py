from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from consumers.rollups import urls

some = st.lists(st.text(max_size=12), max_size=60)


def added(state: bytes, each_once: list[str]) -> Counter[str]:
    return urls.add(state, each_once, [1] * len(each_once))


@given(some, some)
def test_packed_counts_do_not_depend_on_order_or_grouping(one: list[str], other: list[str]) -> None:
    together = urls.pack(added(urls.EMPTY, one + other))
    counts = Counter(one)
    assert urls.pack(urls.add(urls.pack(added(urls.EMPTY, other)) or b"", counts.keys(), counts.values())) == together
    assert urls.unpack(together or b"") == dict(Counter(one + other))


def test_too_many_urls_are_not_packed() -> None:
    counts = Counter(f"/{number}" for number in range(urls.PACKED_UP_TO))
    assert urls.pack(counts) is not None
    counts["/one more"] += 1
    assert urls.pack(counts) is None


def test_the_most_used_come_first_and_ties_by_name() -> None:
    assert urls.top(Counter({"/b": 2, "/a": 2, "/c": 5, "/d": 1}), 3) == [("/c", 5), ("/a", 2), ("/b", 2)]


@given(st.text(min_size=300, max_size=3_000), st.text(min_size=300, max_size=3_000))
def test_very_long_urls_are_cut_and_stay_distinct(one: str, other: str) -> None:
    short = urls.shortened([one, other])
    assert all(len(url.encode()) <= urls.LONGEST_BYTES for url in short)
    assert (short[0] == short[1]) == (one == other)
    assert list(urls.shortened(short)) == list(short)
