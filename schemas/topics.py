"""The topics: one line each says what travels in it, how wide it is and how long it stays."""

import re

import msgspec

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,180}")
"""Lower-case letters, digits, dots and hyphens; Kafka allows 249 characters, and retry and dead-letter names grow from it."""
_OWN_CONFIG = frozenset({"retention.ms"})

DAY_MS = 24 * 60 * 60 * 1000
MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's own default of max.message.bytes: 1 MiB and the record's overhead."""


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic.

    Attributes:
        name: without the prefix of a shared cluster: lower-case letters, digits, dots, hyphens.
        record: full name of the schema of its values.
        partitions: how many; more can be added later, but then keys move.
        retention_ms: how long a record stays, in milliseconds; -1 for ever.
        config: further topic properties, as Kafka names them.
        key_field: the field whose value keys a record when the publisher names no key; None for no key.
    """

    name: str
    record: str
    partitions: int = 4
    retention_ms: int = 7 * DAY_MS
    config: dict[str, str] = {}
    key_field: str | None = None

    @property
    def properties(self) -> dict[str, str]:
        """The topic's properties on the broker.

        It keeps batches as producers compress them, who use lz4. With lz4 here too it compresses anew each batch that lz4 does not
        shrink, a single small event above all, since librdkafka sends that as it is: half of all the memory that a broker
        allocated at 500 events/s went there, and its garbage collections made the slowest answers slow (docs/performance.md).
        """
        return {
            "cleanup.policy": "delete",
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
            "compression.type": "producer",
            "retention.ms": str(self.retention_ms),
            **self.config,
        }

    @property
    def max_message_bytes(self) -> int:
        """The largest batch of records the broker takes, in bytes."""
        return int(self.properties["max.message.bytes"])

    def problems(self) -> list[str]:
        """Everything that is wrong with this topic, one sentence each; empty when it may be created."""
        say = f"topic {self.name!r}: {{}}".format
        twice = ", ".join(sorted(_OWN_CONFIG & set(self.config)))
        checks = {
            "its name is not of lower-case letters, digits, dots and hyphens": not _NAME.fullmatch(self.name),
            "partitions must be at least 1": self.partitions < 1,
            "retention_ms must be above 0, or -1 for ever": self.retention_ms < 1 and self.retention_ms != -1,
            f"config sets {twice}, which a field of its own says": bool(twice),
            "max.message.bytes must be a whole number": not self.properties["max.message.bytes"].isdecimal(),
        }
        return [say(problem) for problem, wrong in checks.items() if wrong]


TOPICS = (
    Topic(name="images.uploaded", record="headrace.ImageUploaded", key_field="image_id"),
    Topic(name="images.processed", record="headrace.ImageProcessed", key_field="image_id"),
    Topic(name="texts.posted", record="headrace.TextPosted", key_field="text_id"),
    Topic(name="texts.analyzed", record="headrace.TextAnalyzed", key_field="text_id"),
    Topic(name="activity.recorded", record="headrace.ActivityRecorded", key_field="user_id"),
    Topic(name="activity.rolled-up", record="headrace.ActivityRolledUp", key_field="kind"),
)
