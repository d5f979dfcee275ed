"""Every name that travels on the wire, in one file."""

import re
from dataclasses import dataclass

_DELAY = re.compile(r"\d{1,9}[smh]")

WORKERS_TOPIC = "headrace.workers"
DEAD_LETTERS_TOPIC = "headrace.dead-letters"
"""Compacted: what an operator did with each dead letter; the letters themselves stay as they are."""
JOBS_TOPIC = "headrace.jobs"
"""Compacted: replays, by job id, each with its parameters, its range, its state and its progress."""
CONTROL_TOPIC = "headrace.control"
"""Compacted: by agent, whether its consumers are to be closed for a while."""

# Headers of a result.
SOURCE_AGENT = "headrace-agent"
HANDLING_US = "headrace-handling-us"
REPLAY = "headrace-replay"
"""The job that a record is replayed by; its results carry it too."""
TRACEPARENT = "traceparent"
CORRELATION_ID = "correlation-id"
PASSED_ON = frozenset({TRACEPARENT, CORRELATION_ID, REPLAY})

# Headers that a dead letter adds to its origin's own; each is UTF-8 text, numbers in decimal, times in ms since the epoch.
ORIGIN_TOPIC = "headrace-origin-topic"
ORIGIN_PARTITION = "headrace-origin-partition"
ORIGIN_OFFSET = "headrace-origin-offset"
ORIGIN_TIMESTAMP_MS = "headrace-origin-timestamp-ms"
ATTEMPTS = "headrace-attempts"
FIRST_FAILURE_MS = "headrace-first-failure-ms"
LAST_FAILURE_MS = "headrace-last-failure-ms"
ERROR_CLASS = "headrace-error-class"
ERROR_MESSAGE = "headrace-error-message"
ERROR_TRACEBACK = "headrace-error-traceback"

# Headers that a record in a retry topic carries beside those of its origin, its attempts and its first failure.
DUE_MS = "headrace-due-ms"
"""When it is to be tried again; absent, it is due its topic's delay after it was appended."""
REDRIVES = "headrace-redrives"
"""How often an operator has sent it to its agent again; stays with it, so that a loop can be told."""


@dataclass(frozen=True, slots=True)
class Names:
    """Topic and group names, with the prefix of a shared cluster before all of them.

    Args:
        prefix: HEADRACE_PREFIX, empty or such as "team-a."; it is put before the name as it stands.
    """

    prefix: str = ""

    def topic(self, name: str) -> str:
        """The topic's name on the broker."""
        return self.prefix + name

    def bare(self, topic: str) -> str:
        """The topic's name in the catalogue: without the prefix."""
        return topic.removeprefix(self.prefix)

    def group(self, agent: str) -> str:
        """The consumer group of an agent."""
        return self.prefix + agent

    def dead_letter(self, agent: str) -> str:
        """The dead-letter topic of an agent."""
        return f"{self.prefix}{agent}.dlq"

    def replay_group(self, agent: str, job: str) -> str:
        """The consumer group of a shadow replay, whose commits are its progress."""
        return f"{self.prefix}{agent}.replay.{job}"

    def replay_topic(self, topic: str, job: str) -> str:
        """Where a shadow replay puts the results that its agent would put into `topic`, a name in the catalogue."""
        return f"{self.prefix}{topic}.replay.{job}"

    def replay_dead_letter(self, agent: str, job: str) -> str:
        """The dead-letter topic of a shadow replay."""
        return f"{self.prefix}{agent}.replay.{job}.dlq"

    def retry(self, agent: str, delay_s: int) -> str:
        """The topic in which an agent's records wait so long, in whole seconds: `images.retry.5s`, `images.retry.10m`."""
        return self.prefix + retry_suffix(agent, delay_s)

    def is_retry(self, agent: str, topic: str) -> bool:
        """Whether a topic is one of an agent's retry topics, of whatever delay: its policy may have been another before."""
        start = f"{self.prefix}{agent}.retry."
        return topic.startswith(start) and _DELAY.fullmatch(topic.removeprefix(start)) is not None


def retry_suffix(agent: str, delay_s: int) -> str:
    """What a retry topic's name is without the prefix."""
    return f"{agent}.retry.{_delay(delay_s)}"


def _delay(seconds: int) -> str:
    """A duration in the largest unit that it is a whole number of."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
