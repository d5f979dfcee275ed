"""The other load: events for the real analytics agent, and its rows beside a recomputation from the log."""

import hashlib
from collections.abc import Iterator
from random import Random

from schemas.codec import Codec
from schemas.event import now_us
from schemas.records import ActivityRecorded
from tests.chaos.load import Sent
from tests.chaos.options import Options
from tests.chaos.stage import Stage
from tests.support.activity import Act, expected_rows, stored_rows
from tests.support.topics import read_all

AGENT = "analytics"
_SPAN_US = 3_600_000_000
_LATE_US = 90_000_000
"""Half a minute more than the agent's grace, so that some events come too late, and must be dropped in every run alike."""
_KINDS = ("view", "click", "purchase")


def events(options: Options, codec: Codec, *, topic: str) -> Iterator[tuple[Sent, bytes]]:
    """An hour of activity, that ends now."""
    begin_us = now_us() - _SPAN_US
    for number in range(options.messages):
        random = Random(f"activity/{options.seed}/{number}")
        user = f"u{random.randrange(options.keys)}"
        occurred_us = begin_us + number * _SPAN_US // options.messages - random.randrange(_LATE_US)
        event = ActivityRecorded(
            user_id=user, kind=random.choice(_KINDS), url=f"/page/{random.randrange(300)}",  # type: ignore[arg-type]
            duration_ms=random.randrange(5_000), occurred_at=occurred_us,
        )  # fmt: skip
        value = codec.encode(event, topic=topic)
        yield Sent(number, user, number, "", None, "", hashlib.sha256(value).digest()), value


def recomputed(stage: Stage, codec: Codec) -> tuple[dict[str, int], list[str]]:
    """I7: the stored rows are, byte for byte, what the log gives. Also the counts of what they hold."""
    logs: list[list[Act]] = [[] for _ in range(_partitions(stage))]
    for message in read_all(stage.stack.bootstrap_servers, stage.topic):
        event = codec.decode(message.value(), ActivityRecorded)
        logs[message.partition()].append(
            Act(event.occurred_at, event.kind, event.user_id, event.url, event.duration_ms)
        )
    expected = expected_rows(logs)
    stored = stored_rows(stage.database_url, stage.direct.names.group(AGENT))
    counted, dropped = (sum(row[index] for row in stored.values()) for index in (0, 1))
    wrong = [key for key in sorted({*expected, *stored}) if expected.get(key) != stored.get(key)]
    facts = {"rows": len(stored), "counted": counted, "dropped": dropped, "in_log": sum(map(len, logs))}
    return facts, [f"the row of {key} is not what the log gives" for key in wrong]


def _partitions(stage: Stage) -> int:
    return len(stage.admin.list_topics(stage.topic, timeout=10).topics[stage.topic].partitions)
