"""What a commit's metadata says: a format version, then facts by name. Another form is nobody's business here.

A topic that was deleted and made again has another id (KIP-516): offsets of the old log mean nothing in the new one.
"""

import base64
import zlib
from collections.abc import Mapping
from typing import NamedTuple

FORMAT = "headrace/1"
MOST_BYTES = 4095
"""What a broker takes by default (offset.metadata.max.bytes less one)."""
_DONE_MOST_BYTES = MOST_BYTES - 320
_DIED_MOST_BYTES = 96
"""Room for the other facts: a topic id is 22 characters, an offset 19 at most."""
_LENGTH_DIGITS = 7
_NUMBER_DIGITS = 19
_AS_DIGITS = bytes.maketrans(b"\0\1", b"01")
_AS_FLAGS = bytes.maketrans(b"01", b"\0\1")


class Birth(NamedTuple):
    """When a group began to read a topic.

    Attributes:
        at_ms: milliseconds since the epoch.
        partitions: how many the topic had then; those added later are read from their beginning.
    """

    at_ms: int
    partitions: int


class Hold(NamedTuple):
    """The mark of an owner: it stands for as long as the partition is held, and an owner that leaves takes it away.

    Attributes:
        owner: a name that no other process has.
        since: the offset at which it started.
        deaths: how many owners before it, one after another, ended without leaving while the commit stood there.
        in_flight: the most records that it, or one of those, has had in flight.
    """

    owner: str
    since: int
    deaths: int = 0
    in_flight: int = 0


class Note(NamedTuple):
    """The facts of one partition's commit.

    Attributes:
        topic_id: of the log that the offset was committed for; None where that is unknown.
        birth: of the group, for this topic; None where that is unknown.
        done: what is finished beyond the committed offset: a byte for it and for each offset that follows, 1 where it is.
        hold: the mark of the partition's owner; None where it has left.
        died: how often a child process died of a record that is not finished, as (offset, times).
    """

    topic_id: str | None = None
    birth: Birth | None = None
    done: bytes = b""
    hold: Hold | None = None
    died: tuple[tuple[int, int], ...] = ()


def encode(note: Note) -> str:
    """The metadata of a partition's commit; of what is finished beyond it, as much as a broker takes."""
    facts = {
        "id": note.topic_id,
        "born": f"{note.birth.at_ms}/{note.birth.partitions}" if note.birth else None,
        "held": "/".join(map(str, note.hold)) if note.hold else None,
        "died": _joined(note.died),
        "done": _packed(note.done[: fitting(note.done)]),
    }
    return " ".join([FORMAT, *(f"{name}={value}" for name, value in facts.items() if value)])


def fitting(done: bytes) -> int:
    """How many of the flags a commit's metadata can hold: nearly always all of them."""
    length = done.rfind(1) + 1
    while length and len(_packed(done[:length])) > _DONE_MOST_BYTES:
        length = length * 3 // 4
    return length


def decode(metadata: str | None) -> Note:
    """The facts; none of them where the metadata is of a foreign form, or absent."""
    facts = _facts(metadata)
    at_ms, _, partitions = facts.get("born", "").partition("/")
    birth = Birth(int(at_ms), int(partitions)) if at_ms.isdecimal() and partitions.isdecimal() else None
    done, died = _unpacked(facts.get("done", "")), _died(facts.get("died", ""))
    return Note(facts.get("id"), birth, done, _hold(facts.get("held", "")), died)


def encode_logs(ids: Mapping[str, str]) -> str:
    """The ids of the logs that a group has read, by topic; cut to whole topics where a broker would refuse it."""
    said, size = [FORMAT], len(FORMAT)
    for topic, topic_id in sorted(ids.items()):
        fact = f"{topic}={topic_id}"
        size += 1 + len(fact)
        if size <= MOST_BYTES:
            said.append(fact)
    return " ".join(said)


def decode_logs(metadata: str | None) -> dict[str, str]:
    """The ids by topic; none where the metadata is of a foreign form, or absent."""
    return _facts(metadata)


def _packed(flags: bytes) -> str:
    """A bit a flag, compressed, in base 85.

    Lanes finish every few offsets, so ranges do not do: of 20,000 records in hand, half of them finished in no order, the
    ranges take 60 KB as text, the bits 3,139 bytes and 2 ms (100,000 of which all but 1 % are finished: 2,803 bytes, 0.9 ms).
    """
    if not flags:
        return ""
    bits = int(flags.translate(_AS_DIGITS), 2)
    return base64.b85encode(zlib.compress(bits.to_bytes((len(flags) + 7) // 8, "big"), 1)).decode() + f"/{len(flags)}"


def _unpacked(text: str) -> bytes:
    """The flags; none where the text makes no sense."""
    packed, _, length = text.rpartition("/")
    if not length.isdecimal() or len(length) > _LENGTH_DIGITS:
        return b""
    try:
        raw = zlib.decompressobj().decompress(base64.b85decode(packed), (int(length) + 7) // 8)
    except (ValueError, zlib.error):
        return b""
    flags = f"{int.from_bytes(raw, 'big'):0{int(length)}b}".encode().translate(_AS_FLAGS)
    return flags if len(flags) == int(length) else b""


def _hold(text: str) -> Hold | None:
    owner, *numbers = text.split("/")
    if not owner or len(numbers) != len(Hold._fields) - 1 or not all(map(_is_number, numbers)):
        return None
    return Hold(owner, *map(int, numbers))


def _joined(died: tuple[tuple[int, int], ...]) -> str:
    """The deaths as text, cut to whole ones; of a record that is left out, a later owner counts anew."""
    told = ""
    for offset, times in died:
        more = f"{told},{offset}:{times}" if told else f"{offset}:{times}"
        told = more if len(more) <= _DIED_MOST_BYTES else told
    return told


def _died(text: str) -> tuple[tuple[int, int], ...]:
    pairs = [each.split(":") for each in text.split(",")]
    return tuple((int(pair[0]), int(pair[1])) for pair in pairs if len(pair) == 2 and all(map(_is_number, pair)))


def _is_number(text: str) -> bool:
    """Whether it is a number of an offset's length."""
    return text.isascii() and text.isdecimal() and len(text) <= _NUMBER_DIGITS


def _facts(metadata: str | None) -> dict[str, str]:
    form, *facts = (metadata or "").split(" ")
    if form != FORMAT:
        return {}
    pairs = (fact.partition("=") for fact in facts)
    return {name: value for name, _, value in pairs if name and value}
