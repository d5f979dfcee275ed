"""From an event to the record that is sent: its topic, key, bytes and headers; whatever is wrong is found here, before sending."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from producers.errors import RecordTooLargeError, UnknownTopicError
from schemas.catalogue import Catalogue
from schemas.codec import MAX_VALUE_BYTES, Codec
from schemas.errors import InvalidEventError
from schemas.event import Event
from schemas.topics import Topic
from schemas.way_out import WayOut

MAX_RECORD_BYTES = (256 + 16) * 1024
"""A payload of 256 KiB, beyond which it travels as a reference (design.md), and room for the fields around it."""
_BATCH_OVERHEAD_BYTES = 512
"""max.message.bytes counts the batch: its header has 61 bytes, a record's own lengths about 20; the rest is for comfort."""

Key = str | bytes | None
Headers = Mapping[str, str | bytes] | Sequence[tuple[str, str | bytes]]


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A record ready to be sent; `topic` is the broker's name, `size_bytes` is of key, value and headers together."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]]
    size_bytes: int
    event: Event


class Route(NamedTuple):
    """Where a kind of event goes.

    Attributes:
        topic: the broker's name of it.
        key_field: the field that keys its records, if any.
        encode: gives an event's bytes.
        limit_bytes: of a record.
        way_out: whose `encode` that is.
    """

    topic: str
    key_field: str | None
    encode: Callable[[Event], bytes]
    limit_bytes: int
    way_out: WayOut


class Desk:
    """Makes records of events; finds the route of each kind of event once.

    Args:
        catalogue: topics and schemas.
        codec: encodes; its names carry the prefix.
        look_up: told the broker's name of each topic before its first record; raises if there is none.
        max_record_bytes: the limit of a record in a topic whose configuration names no max.message.bytes.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        codec: Codec,
        *,
        look_up: Callable[[str], None],
        max_record_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        self._look_up = look_up
        self._catalogue = catalogue
        self._codec = codec
        self._max_record_bytes = max_record_bytes
        self._routes: dict[tuple[type[Event], str | None], Route] = {}

    def prepare(self, event: Event, topic: str | None, key: Key, headers: Headers) -> Outgoing:
        """The record of an event; its topic is the one that the catalogue has for it where none is named.

        Raises:
            UnknownTopicError: if no topic is named and the catalogue has none for the event.
            InvalidEventError: naming the field that does not fit the schema, the key's or a header's fault likewise.
            RecordTooLargeError: naming the field that weighs most.
        """
        route = self._routes.get((type(event), topic)) or self._first_route(type(event), topic)
        value = route.encode(event)
        key_bytes = key_of(event, route.key_field, key)
        outgoing = outgoing_of(event, route.topic, key_bytes, value, headers_of(event, headers) if headers else ())
        if outgoing.size_bytes > route.limit_bytes:
            raise too_large(outgoing, limit_bytes=route.limit_bytes)
        return outgoing

    def route(self, kind: type[Event], topic: str | None) -> Route:
        """Where events of a class go; errors as for `prepare`."""
        return self._routes.get((kind, topic)) or self._first_route(kind, topic)

    def is_warm(self, kind: type[Event], topic: str | None) -> bool:
        """Whether `prepare` will ask neither broker nor registry: this kind of event went this way before."""
        return (kind, topic) in self._routes

    def _first_route(self, kind: type[Event], topic: str | None) -> Route:
        """The topic is looked up before the codec registers a schema for it."""
        entry = self._entry(kind, topic)
        name = self._codec.names.topic(entry.name if entry else topic or "")
        self._look_up(name)
        way = self._codec.way_out(kind, topic=name)
        key_field = entry.key_field if entry else None
        route = self._routes[kind, topic] = Route(name, key_field, way.encode, self._limit_bytes(entry), way)
        return route

    def _entry(self, kind: type[Event], topic: str | None) -> Topic | None:
        """The catalogue's entry of the topic; None where a topic is named that it does not have."""
        record = getattr(kind, "__schema_name__", "")
        entry = self._catalogue.topic_of(record) if topic is None else self._catalogue.topics.get(topic)
        if entry is None and topic is None:
            raise UnknownTopicError(
                f"the catalogue has not one topic for {record or kind.__name__}; name one by topic=…"
            )
        if entry is not None and entry.record != record:
            raise InvalidEventError(f"topic {entry.name} carries {entry.record}, not {record or kind.__name__}")
        return entry

    def _limit_bytes(self, entry: Topic | None) -> int:
        if entry is None or "max.message.bytes" not in entry.config:
            return self._max_record_bytes
        return min(entry.max_message_bytes - _BATCH_OVERHEAD_BYTES, MAX_VALUE_BYTES)


def outgoing_of(
    event: Event, topic: str, key: bytes | None, value: bytes, headers: Sequence[tuple[str, bytes]]
) -> Outgoing:
    """A record with its size."""
    size_bytes = len(value) if key is None else len(value) + len(key)
    if headers:
        size_bytes += sum(len(name) + len(text) for name, text in headers)
    return Outgoing(topic, key, value, headers, size_bytes, event)


def too_large(outgoing: Outgoing, *, limit_bytes: int | None) -> RecordTooLargeError:
    """The error of a record beyond its limit, with the field that weighs most."""
    weights = {name: _weight_bytes(getattr(outgoing.event, name)) for name in outgoing.event.__struct_fields__}
    field = max(weights, key=weights.__getitem__, default="")
    return RecordTooLargeError(
        topic=outgoing.topic,
        size_bytes=outgoing.size_bytes,
        limit_bytes=limit_bytes,
        field=field,
        field_bytes=weights.get(field, 0),
    )


def _weight_bytes(value: object) -> int:
    return len(value) if isinstance(value, bytes) else len(msgspec.json.encode(value))


def key_of(event: Event, field: str | None, key: Key) -> bytes | None:
    """A record's key: the one that is given, else the value of the topic's key field.

    Raises:
        InvalidEventError: if it is no UTF-8.
    """
    value = getattr(event, field) if key is None and field is not None else key
    if value is None or isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else str(value)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        place = field if key is None and field is not None else ""
        raise InvalidEventError(f"the key {text!r} is no UTF-8: {error.reason}", field=place) from error


def headers_of(event: Event, headers: Headers) -> list[tuple[str, bytes]]:
    """Headers as they are sent.

    Raises:
        InvalidEventError: if they are no pairs of a name and text or bytes.
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    try:
        return [(name, text.encode() if isinstance(text, str) else bytes(memoryview(text))) for name, text in pairs]
    except (TypeError, ValueError) as error:
        what = f"{type(event).__name__}: headers are pairs of a name and text or bytes: {error}"
        raise InvalidEventError(what) from error
