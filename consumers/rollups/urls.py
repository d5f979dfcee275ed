"""Full counts of urls: packed into the summary's row while they are few, in rows of their own beyond."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

PACKED_UP_TO = 16_384
"""Distinct urls of one window, kind and partition. Measured with batches of 5,000 events over 8,000 urls: 219,000 to 245,000
events/s packed, 77,000 with a row each; beyond, the cost of a batch must depend on the batch, not on the window."""
LONGEST_BYTES = 1_024
"""Of a url in UTF-8. PostgreSQL cannot index more than 2,704 bytes; a longer url keeps its beginning and is told apart by a hash."""
TOP = 10

_decoder = msgspec.msgpack.Decoder(dict[str, int])
_encoder = msgspec.msgpack.Encoder(order="deterministic")

EMPTY: bytes = _encoder.encode({})


def shortened(urls: Sequence[str]) -> Sequence[str]:
    """The urls as they are counted: a very long one is cut, and ends in a hash of the whole."""
    if max(map(len, urls), default=0) * 4 <= LONGEST_BYTES:
        return urls
    return [_short(url) for url in urls]


def add(state: bytes, urls: Iterable[str], times: Iterable[int]) -> Counter[str]:
    """The counts with these urls counted in, each so many times."""
    counts = Counter(unpack(state))
    for url, number in zip(urls, times, strict=True):
        counts[url] = counts.get(url, 0) + number
    return counts


def unpack(state: bytes) -> dict[str, int]:
    """The counts of a packed state."""
    return _decoder.decode(state)


def pack(counts: Counter[str]) -> bytes | None:
    """The counts in one value, the same for the same counts; None when they are too many and go into rows."""
    return _encoder.encode(counts) if len(counts) <= PACKED_UP_TO else None


def top(counts: Counter[str], limit: int = TOP) -> list[tuple[str, int]]:
    """The most used, ties by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]


def _short(url: str) -> str:
    whole = url.encode("utf-8")
    if len(whole) <= LONGEST_BYTES:
        return url
    mark = "#" + hashlib.blake2b(whole, digest_size=16).hexdigest()
    return whole[: LONGEST_BYTES - len(mark)].decode("utf-8", "ignore") + mark
