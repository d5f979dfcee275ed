"""Every row of the table, on one screen: who runs, what it is measured against, and the bar it must reach."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bench import consuming, publishing, queueing, rabbitmq, redis
from bench.agents import IMAGES, TEXTS
from bench.consuming import Contestant, bare, peer, pool, worker
from bench.ground import Ground
from bench.programs import PEERS
from bench.queueing import Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        name: as `--only` takes it.
        title: as the table calls it.
        run: one round; gives events a second. None for a row that shows the figures of another.
        of: that other row.
        against: the row whose figure in the same round this one's is divided by; None for that row itself.
        at_least: the bar: what the ratio must reach; None where there is none.
        about_s: seconds that a round takes, for the estimate at the start.
    """

    name: str
    title: str
    run: Callable[[Ground], float] | None = None
    of: str | None = None
    against: str | None = "bare"
    at_least: float | None = None
    about_s: float = 12.0


_FAUST = ("faust", "-A", "faust_app", "worker", "--without-web", "-l", "warn")
_FASTSTREAM = ("faststream", "run", "faststream_app:app")
_DRAMATIQ = Queue(
    environment="dramatiq", script="dramatiq_app.py", worker=("dramatiq", "dramatiq_app", "--processes", "2"),
    broker=rabbitmq.broker,
)  # fmt: skip


def _consume(
    name: str, title: str, contestant: Contestant, *, against: str | None = "bare", at_least: float | None = None
) -> Row:
    return Row(
        name=name,
        title=title,
        run=lambda ground: consuming.run(ground, name, contestant),
        against=against,
        at_least=at_least,
    )


def _publish(
    name: str, title: str, way: str, *, against: str | None = "bare-publish", at_least: float | None = None
) -> Row:
    return Row(
        name=name, title=title, run=lambda ground: publishing.publish(ground, way), against=against, at_least=at_least
    )


def _queue(name: str, title: str, queue: Queue) -> Row:
    return Row(name=name, title=title, run=lambda ground: queueing.run(ground, name, queue), about_s=30.0)


def _celery(broker: Callable[[Path], AbstractContextManager[str]], *options: str) -> Queue:
    words = ("celery", "-A", "celery_app", "worker", "--without-gossip", "--without-mingle", "--without-heartbeat")
    return Queue(environment="celery", script="celery_app.py", worker=(*words, *options), broker=broker)


def _thumbnails(*, workers: int) -> Contestant:
    return worker("thumbnails", topic=IMAGES, workers=workers, options=["--concurrency", "thumbnails=1"])


ROWS = (
    _consume("bare", "bare loop, Headrace's librdkafka settings", bare("tuned"), against=None),
    _consume("bare-defaults", "bare loop, librdkafka's defaults", bare("defaults")),
    _consume(
        "analytics", "analytics agent, exact", worker("roll-up", check=consuming.all_rolled_up), at_least=2.0
    ),
    _consume("columns", "batches as columns, by kind and minute", worker("columns"), at_least=3.0),
    _consume("inline", "one event, inline", worker("inline"), at_least=1.5),
    _consume("threads", "one event, 8 thread lanes", worker("threads"), at_least=1.1),
    _consume("asyncio", "one event, asyncio, 256 at once", worker("asyncio"), at_least=0.9),
    _consume("processes", "one event, 2 processes, deadline armed", worker("processes"), at_least=0.3),
    _consume("bare-images", "bare pool of 2 threads, images", pool("images", IMAGES), against=None),
    _consume("images", "images agent, 2 processes", worker("thumbnails", topic=IMAGES), against="bare-images", at_least=0.95),
    _consume("bare-image", "bare pool of 1 thread, images", pool("image", IMAGES), against=None),
    Row(name="images-bare-twice", title="bare pool, 2 threads over 1, images", of="bare-images", against="bare-image"),
    _consume("images-one-worker", "images, 1 worker, 1 process", _thumbnails(workers=1), against=None),
    _consume(
        "images-two-workers", "images, 2 workers, 1 process each", _thumbnails(workers=2),
        against="images-one-worker", at_least=1.7,
    ),
    _consume("bare-text", "bare pool of 2 threads, texts", pool("text", TEXTS), against=None),
    _consume("text", "text agent, 2 processes", worker("texts", topic=TEXTS), against="bare-text", at_least=0.9),
    _consume("bare-text-processes", "bare pool of 2 processes, texts", pool("text-processes", TEXTS), against=None),
    Row(name="text-over-processes", title="text agent, over that pool", of="text", against="bare-text-processes"),
    _consume("faust", "Faust, stock agent", peer("faust", *_FAUST, variant="one")),
    Row(name="inline-over-faust", title="one event, inline, over Faust", of="inline", against="faust", at_least=15.0),
    _consume("faust-take", "Faust, take(1000)", peer("faust", *_FAUST, variant="take")),
    _consume("faststream", "FastStream, confluent, one by one", peer("faststream", *_FASTSTREAM, variant="one")),
    _consume("faststream-batch", "FastStream, confluent, batches", peer("faststream", *_FASTSTREAM, variant="batch")),
    _consume("quix", "Quix Streams", peer("quix", "python", str(PEERS / "quix_app.py"))),
    _queue("celery-rabbitmq", "Celery on RabbitMQ, prefork", _celery(rabbitmq.broker, "--pool=prefork", "--concurrency=2")),
    _queue("celery-rabbitmq-solo", "Celery on RabbitMQ, solo", _celery(rabbitmq.broker, "--pool=solo")),
    _queue("celery-redis", "Celery on Redis, prefork", _celery(redis.broker, "--pool=prefork", "--concurrency=2")),
    _queue("celery-redis-solo", "Celery on Redis, solo", _celery(redis.broker, "--pool=solo")),
    _queue("dramatiq", "Dramatiq on RabbitMQ, 2 processes", _DRAMATIQ),
    _publish("bare-publish", "bare produce loop with fastavro", "bare", against=None),
    _publish("publish", "publisher, typed record to acknowledged, one by one", "headrace"),
    _publish("publish-bulk", "publisher, typed records to acknowledged, in one call", "bulk", at_least=1.5),
)  # fmt: skip


def chosen(names: list[str]) -> list[Row]:
    """The rows of these names, and those that they are measured against, in the table's order.

    Raises:
        KeyError: for a name that no row has.
    """
    known = {row.name: row for row in ROWS}
    wanted = set(names)
    while more := {other for name in wanted for other in (known[name].against, known[name].of) if other} - wanted:
        wanted |= more
    return [row for row in ROWS if row.name in wanted]
