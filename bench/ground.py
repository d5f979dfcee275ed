"""Where the rounds take place: a broker of the bench's own, with a topic full of events."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicPartition

import devstack
from bench import agents
from bench.events import activities
from bench.inputs import IMAGES, TEXTS, posts, uploads
from consumers.runtime.broker_view import BrokerView, open_admin
from producers import Publisher
from producers.client_log import ClientLog
from producers.kafka import open_producer
from producers.outgoing import Outgoing
from schemas.catalogue import load_catalogue
from schemas.event import Event
from schemas.provision import apply, plan
from schemas.records import ActivityRecorded, ImageUploaded
from schemas.settings import Settings

CATALOGUE = agents.__name__
_INPUTS: dict[str, Callable[[int], Iterator[Event]]] = {
    agents.ACTIVITY: activities,
    agents.IMAGES: lambda events: uploads(min(events, IMAGES)),
    agents.TEXTS: lambda events: posts(min(events, TEXTS)),
}
_ANSWER_S, _PATIENCE_S = 15.0, 60.0
_DIFFERENT = 50_000
_SOON_OVER = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.NON_EMPTY_GROUP,
    }
)
"""What a broker says that has just made a topic, or that has not yet heard of a member's end."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ground:
    """A broker, and what stands in its topics.

    Attributes:
        settings: of Headrace, with this broker's address.
        folder: for what the runs write.
        events: how many events the topic of activities holds.
    """

    settings: Settings
    folder: Path
    events: int
    _filled: dict[str, Counter[str]] = field(default_factory=dict)
    _number: Iterator[int] = field(default_factory=itertools.count)

    def kinds(self, topic: str) -> Counter[str]:
        """How many events of each kind stand in a topic; it is filled when it is first asked for."""
        if topic not in self._filled:
            self._filled[topic] = self._fill(topic)
        return self._filled[topic]

    def _fill(self, topic: str) -> Counter[str]:
        """Publish the topic's events, each acknowledged."""
        kinds: Counter[str] = Counter()
        with Publisher(self.settings) as publisher:
            for event in _INPUTS[topic](self.events):
                publisher.publish(event, topic=topic)
                kinds[_kind_of(event)] += 1
        return kinds

    def fill_backlog(self, count: int, *, topic: str = agents.BACKLOG) -> None:
        """See that a topic holds at least so many events: ever the same ones, encoded once."""
        missing = count - self.records_in(topic)
        self.fill_with(list(activities(_DIFFERENT)), max(0, missing), topic=topic)

    def fill_with(self, events: Sequence[ActivityRecorded], count: int, *, topic: str) -> None:
        """Add so many events to a topic, going round in those that are given."""
        with Publisher(self.settings) as publisher:
            prepared = [publisher.prepare(event, topic=topic) for event in events]
        produce(self.settings, itertools.islice(itertools.cycle(prepared), count))
        kinds = self._filled.setdefault(topic, Counter())
        kinds.update(event.kind for event in itertools.islice(itertools.cycle(events), count))

    def folder_of(self, name: str) -> Path:
        """A new folder for one run."""
        folder = self.folder / f"{next(self._number):03d}-{name}"
        (folder / "tally").mkdir(parents=True)
        return folder

    def committed(self, group: str, topic: str) -> int:
        """How many events of a topic a group's commits cover."""
        return _soon(lambda view: sum(at.offset for at in view.commits(group, [topic]).values()), self.settings)

    def records_in(self, topic: str) -> int:
        """How many records a topic holds."""
        return _soon(lambda view: view.records_in(topic), self.settings)

    def forget_group(self, group: str) -> None:
        """Delete a group, so that its next worker begins with the first event."""
        admin: Any = open_admin(self.settings)

        def delete(_view: BrokerView) -> None:
            try:
                admin.delete_consumer_groups([group], request_timeout=_ANSWER_S)[group].result(_ANSWER_S)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
                    raise

        _soon(delete, self.settings)

    def make_topics(self) -> None:
        """Create every topic of the catalogue that is not there."""
        catalogue = load_catalogue(self.settings.catalogue)
        apply(self.settings, plan(self.settings, catalogue, agents=catalogue.agents))

    def empty(self, topic: str) -> None:
        """Delete all records of a topic. Deleting the topic instead left its producers with the old one's metadata."""
        admin: Any = open_admin(self.settings)

        def delete(view: BrokerView) -> None:
            ends = view.ends([topic])
            upto = [TopicPartition(*place, high) for place, (_, high) in ends.items()]
            for future in admin.delete_records(upto, request_timeout=_ANSWER_S).values():
                future.result(_ANSWER_S)

        _soon(delete, self.settings)


@contextmanager
def ground(folder: Path, *, events: int, catalogue: str = CATALOGUE) -> Iterator[Ground]:
    """Start a broker with the topics of a catalogue of the bench's; it is down at the end.

    Args:
        folder: for its data and for what the runs write.
        events: how many activities a round has; of images and texts at most as many.
        catalogue: the module.
    """
    with devstack.up(port=0, data=folder / "kafka", stock_java=True) as stack:
        made = Ground(Settings(bootstrap_servers=stack.bootstrap_servers, catalogue=catalogue), folder, events)
        made.make_topics()
        yield made


def produce(settings: Settings, prepared: Iterable[Outgoing]) -> None:
    """Produce records that are encoded already, and wait for their acknowledgement."""
    producer = open_producer(settings, client_id="bench", log=ClientLog("bench"), on_error=_fail)
    for outgoing in prepared:
        while True:
            try:
                producer.produce(outgoing.topic, outgoing.value, outgoing.key, on_delivery=_check_delivery)
            except BufferError:
                producer.poll(0.05)
            else:
                break
    producer.flush()


def _soon(ask: Callable[[BrokerView], _T], settings: Settings) -> _T:
    """The broker's answer, once it can give one."""
    view, until_s = BrokerView(settings), time.monotonic() + _PATIENCE_S
    try:
        while True:
            try:
                return ask(view)
            except TimeoutError:  # seen while the broker makes its topic of commits
                if time.monotonic() > until_s:
                    raise
            except KafkaException as error:
                if error.args[0].code() not in _SOON_OVER or time.monotonic() > until_s:
                    raise
            time.sleep(0.1)
    finally:
        view.close()


def _check_delivery(error: Any, _message: Any) -> None:
    if error is not None:
        raise KafkaException(error)


def _fail(error: Any) -> None:
    raise KafkaException(error)


def _kind_of(event: Event) -> str:
    """As the handlers count it."""
    if isinstance(event, ActivityRecorded):
        return event.kind
    return "image" if isinstance(event, ImageUploaded) else "text"
