"""What a commit's metadata says: a format version, then facts by name. Another form is nobody's business here.

A topic that was deleted and made again has another id (KIP-516): offsets of the old log mean nothing in the new one.
"""

from collections.abc import Mapping
from typing import NamedTuple

FORMAT = "headrace/1"
MOST_BYTES = 4095
"""What a broker takes by default (offset.metadata.max.bytes less one)."""


class Birth(NamedTuple):
    """When a group began to read a topic.

    Attributes:
        at_ms: milliseconds since the epoch.
        partitions: how many the topic had then; those added later are read from their beginning.
    """

    at_ms: int
    partitions: int


class Note(NamedTuple):
    """The facts of one partition's commit.

    Attributes:
        topic_id: of the log that the offset was committed for; None where that is unknown.
        birth: of the group, for this topic; None where that is unknown.
    """

    topic_id: str | None = None
    birth: Birth | None = None


def encode(note: Note) -> str:
    """The metadata of a partition's commit."""
    facts = {"id": note.topic_id, "born": f"{note.birth.at_ms}/{note.birth.partitions}" if note.birth else None}
    return " ".join([FORMAT, *(f"{name}={value}" for name, value in facts.items() if value)])


def decode(metadata: str | None) -> Note:
    """The facts; none of them where the metadata is of a foreign form, or absent."""
    facts = _facts(metadata)
    at_ms, _, partitions = facts.get("born", "").partition("/")
    birth = Birth(int(at_ms), int(partitions)) if at_ms.isdecimal() and partitions.isdecimal() else None
    return Note(facts.get("id"), birth)


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


def _facts(metadata: str | None) -> dict[str, str]:
    form, *facts = (metadata or "").split(" ")
    if form != FORMAT:
        return {}
    pairs = (fact.partition("=") for fact in facts)
    return {name: value for name, _, value in pairs if name and value}
