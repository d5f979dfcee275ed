"""Who takes part, and what is set beside the defaults of each; a setting that is not named here is the contestant's own."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One way to handle the ids.

    Attributes:
        name: as `--only` takes it.
        title: as the table calls it.
        environment: the folder of its virtual environment; None for Headrace, which runs in this one.
        packages: whose versions the table names.
        broker: what it needs.
        command: one worker; {worker} becomes its number. The first word is looked up in its environment.
        script: of a task queue, the script in bench/peers that publishes and drains.
        variant: what BENCH_VARIANT tells the script.
        quiet_s: how long nothing may move before the run is over: longer than its longest documented pause.
        setting: what was set, in words.
    """

    name: str
    title: str
    environment: str | None
    packages: tuple[str, ...]
    broker: Literal["kafka", "rabbitmq"]
    command: tuple[str, ...]
    script: str = ""
    variant: str = ""
    quiet_s: float = 20.0
    setting: str


_CELERY = ("celery", "-A", "celery_app", "worker", "-n", "worker{worker}@%h")
_FASTSTREAM = ("faststream", "run", "faststream_app:app")


def _celery(name: str, title: str, variant: str, setting: str) -> Contestant:
    return Contestant(
        name=name, title=title, environment="celery", packages=("celery", "kombu", "amqp"),
        broker="rabbitmq", command=_CELERY, script="celery_app.py", variant=variant, setting=setting,
    )  # fmt: skip


def _faststream(name: str, title: str, variant: str, setting: str) -> Contestant:
    return Contestant(
        name=name, title=title, environment="faststream",
        packages=("faststream", "aiokafka"), broker="kafka", command=_FASTSTREAM, variant=variant, setting=setting,
    )  # fmt: skip


CONTESTANTS = (
    Contestant(
        name="faust", title="Faust, stock agent", environment="faust",
        packages=("faust-streaming", "aiokafka"), broker="kafka", command=("faust", "-A", "faust_app", "worker"),
        quiet_s=75.0,  # its session lasts 60 s: a killed worker's partitions stand still for as long
        setting="a web port of its own for each worker, on loopback",
    ),
    _faststream("faststream", "FastStream (Kafka)", "", "auto_offset_reset=earliest, a group id"),
    _faststream("faststream-ack", "FastStream (Kafka), AckPolicy.ACK", "ACK", "as above, and ack_policy=ACK"),
    _celery("celery", "Celery on RabbitMQ", "", "node names, ignore_result=True"),
    _celery(
        "celery-late", "Celery, acks_late", "late", "as above, and acks_late=True, reject_on_worker_lost=True"
    ),
    _celery(
        "celery-retry", "Celery, acks_late, autoretry", "retry",
        "as acks_late, and autoretry_for=(Exception,), retry_backoff=True (3 retries)",
    ),
    Contestant(
        name="dramatiq", title="Dramatiq on RabbitMQ", environment="dramatiq",
        packages=("dramatiq", "pika"), broker="rabbitmq", command=("dramatiq", "dramatiq_app"), script="dramatiq_app.py",
        quiet_s=40.0,  # a first retry comes after 15 to 30 s
        setting="nothing (20 retries, the first after 15 to 30 s, are its default)",
    ),
    Contestant(
        name="headrace", title="Headrace", environment=None, packages=("headrace", "confluent-kafka"), broker="kafka",
        command=("faust", "-A", "streams", "worker", "--catalogue", "bench.loss.agents", "--agents", "bench"),
        setting="nothing (by key, one thread, 5 attempts are its default)",
    ),
)  # fmt: skip
