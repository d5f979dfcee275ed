"""What a commit's metadata says: a format version and the topic's id. Another form is nobody's business here.

A topic that was deleted and made again has another id (KIP-516): offsets of the old log mean nothing in the new one.
"""

_FORMAT = "headrace/1"


def encode(topic_id: str) -> str:
    """The metadata of a commit; far below the 4,095 bytes that a broker takes by default."""
    return f"{_FORMAT} {topic_id}"


def topic_id_of(metadata: str | None) -> str | None:
    """The topic id that a commit was made for; None where the metadata is of a foreign form, or absent."""
    form, _, topic_id = (metadata or "").partition(" ")
    return topic_id if form == _FORMAT and topic_id else None
