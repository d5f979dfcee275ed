"""The consumer of one agent, and its group's own timing on the broker (KIP-848)."""

from collections.abc import Callable
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import admin as kafka_admin

from consumers.runtime.broker_view import open_admin, reason_of
from producers.client_log import ClientLog
from producers.kafka import open_client, refuse_other
from schemas.settings import GroupProtocol, Settings

log = structlog.get_logger("headrace.group")

_admin: Any = kafka_admin  # its stubs leave out what it re-exports

FETCHING: dict[str, str | float | bool] = {
    "fetch.queue.backoff.ms": 2,
    "fetch.wait.max.ms": 50,
    "queued.min.messages": 50_000,
    "queued.max.messages.kbytes": 64 * 1024,
}
"""How librdkafka fetches. `fetch.queue.backoff.ms` at its default of 1000 stops the fetching for a second whenever the queue is full
(313,000 records/s against 1,250,000 with 2, consume only); `fetch.wait.max.ms` at its default of 500 makes the first fetch of an
empty partition wait that long, at every take-over again."""
_GIVES_UP_WITHIN_MS = 30_000
"""`max.poll.interval.ms` of an agent whose thread runs no handler. To a KIP-848 broker it is also how long a member may keep what
it should give up. Seen when coordinators moved: a member was never told to give up its partitions, by broker or client, and kept
three of the group's eight from the others, who waited for them until this time was over: 5 minutes by default."""
_FALSE = frozenset({"false", "f", "0"})
_KEPT: dict[str, frozenset[str]] = {
    "auto.offset.reset": frozenset({"error"}),
    "enable.auto.commit": _FALSE,
    "auto.commit.enable": _FALSE,
    "enable.auto.offset.store": _FALSE,
    "enable.partition.eof": frozenset({"true", "t", "1"}),
    "isolation.level": frozenset({"read_committed"}),
    "group.id": frozenset(),
    "group.protocol": frozenset(),
}
"""With another of these a gap of the log would be passed over in silence, a commit go ahead of the work or to another group, or a
transaction that was aborted be worked on."""
_ADMIN_TIMEOUT_S = 10.0
_UNSUPPORTED = (KafkaError.UNSUPPORTED_VERSION, KafkaError._UNSUPPORTED_FEATURE)


def check_promises(settings: Settings) -> None:
    """See that the environment leaves an agent's consumer as its promises need it.

    Raises:
        ConfigurationError: naming every KAFKA_* variable that would not.
    """
    why = "an agent names its group and its protocol, chooses each offset and commits by itself, and reads committed records alone"
    refuse_other(settings, _KEPT, why)


def open_consumer(
    settings: Settings,
    group: str,
    *,
    protocol: GroupProtocol,
    polls_always: bool,
    on_commit: Callable[[Any, Any], None],
    on_error: Callable[[Any], None],
) -> Consumer:
    """A consumer that commits nothing by itself and never chooses an offset by itself.

    Args:
        settings: where the broker is.
        group: its group.
        protocol: of the group.
        polls_always: whether no handler keeps the thread that polls.
        on_commit: hears what became of each commit.
        on_error: hears what librdkafka complains of.
    """
    own: dict[str, str | float | bool] = {
        **FETCHING,
        "group.id": group,
        "client.id": f"headrace-{group}",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "group.protocol": protocol,
    }
    if polls_always:
        own["max.poll.interval.ms"] = max(_GIVES_UP_WITHIN_MS, settings.group_session_timeout_ms)
    if protocol == "classic":
        # Range, not cooperative-sticky: a synchronous commit during a cooperative rebalance blocks up to 6 s and fails.
        own |= {
            "session.timeout.ms": settings.group_session_timeout_ms,
            "heartbeat.interval.ms": settings.group_heartbeat_interval_ms,
            "partition.assignment.strategy": "range",
        }
    else:
        # Range shares each topic by itself; uniform, the default, only all partitions together, so that one member was seen
        # with nothing but those of retry topics, and so without work.
        own |= {"group.remote.assignor": "range"}
    callbacks: dict[str, Any] = {"on_commit": on_commit, "error_cb": on_error, "logger": ClientLog(group)}
    consumer: Consumer = open_client(Consumer, {**settings.client(**own), **callbacks})
    return consumer


def refuses_protocol(error: KafkaError) -> bool:
    """Whether a fatal error says that the broker does not speak KIP-848; the cause is in its text only."""
    return any(KafkaError(code).str() in error.str() for code in _UNSUPPORTED)


def say_classic(agent: str, reason: str) -> None:
    """Say that, and why, an agent goes on with a classic group."""
    log.warning(
        "classic_group",
        agent=agent,
        reason=reason,
        meaning="the broker refuses KIP-848: the classic protocol is used, in which every member stops at a rebalance",
        remedy="set HEADRACE_GROUP_PROTOCOL=classic to choose it at once, or enable the protocol on the broker",
    )


def set_timing(settings: Settings, group: str) -> None:
    """Set the group's session and heartbeat on the broker; where it refuses, say what that costs and go on."""
    entries = {
        "consumer.session.timeout.ms": settings.group_session_timeout_ms,
        "consumer.heartbeat.interval.ms": settings.group_heartbeat_interval_ms,
    }
    resource = _admin.ConfigResource(
        _admin.ResourceType.GROUP,
        group,
        incremental_configs=[
            _admin.ConfigEntry(name, str(value), incremental_operation=_admin.AlterConfigOpType.SET)
            for name, value in entries.items()
        ],
    )
    try:
        admin = open_admin(settings)  # held until the last answer: a client that is let go takes its requests with it
        for future in admin.incremental_alter_configs([resource], request_timeout=_ADMIN_TIMEOUT_S).values():
            future.result(_ADMIN_TIMEOUT_S + 5.0)
    except (KafkaException, TimeoutError) as error:
        log.warning(
            "group_timing_refused",
            group=group,
            reason=reason_of(error),
            meaning="a crash is noticed after the broker's own session (45 s by default), a new member joins in 5 s",
            remedy="lower group.consumer.min.session.timeout.ms and group.consumer.min.heartbeat.interval.ms on the broker",
        )
