"""A rewind: the live group's own offsets are set back, and its workers do the rest as ever."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext

import structlog

from consumers.runtime import metadata
from consumers.runtime.metadata import Note
from schemas.errors import ConfigurationError, TimedOutError
from schemas.names import CONTROL_TOPIC
from schemas.settings import Settings
from streams import control
from streams.replay.finished import Finished
from streams.replay.groups import Groups
from streams.replay.job import Job, ReplayError

log = structlog.get_logger("headrace.replay")

_EMPTY_WITHIN_S = 60.0
_LOOK_S = 0.2


class GroupBusyError(ReplayError):
    """Raised when a group has members, which would commit over whatever is set."""

    exit_code = 2


def run(job: Job, settings: Settings, told: Callable[[int], None]) -> Finished:
    """Set the offsets.

    The steps: 1. the group is without members, or its workers are told to close the agent, 2. wait until it is empty,
    3. alter, 4. verify, 5. the workers may open it again, whatever came.

    Args:
        job: with its agent, and where each partition is to go on.
        settings: where the broker is.
        told: called with the number of offsets that are to be read again.

    Raises:
        GroupBusyError: when the group has members and may not be paused.
        ReplayError: when the broker refuses; each partition that it refuses is named.
        TimedOutError: when the group does not become empty.
    """
    agent = str(job.agent)
    group, topic = settings.names.group(agent), settings.names.topic(job.topic)
    with closing(Groups(settings)) as groups:
        members = groups.members(group)
        if members and not job.pause:
            raise busy(group, members)
        with _closed(settings, agent, job.id) if members else nullcontext():  # 1, 5
            _await_empty(groups, group)  # 2
            _alter(job, groups, group, topic)
    told(job.records)
    return Finished(f"{job.agent} goes on from there: headrace status shows its lag")


@contextmanager
def _closed(settings: Settings, agent: str, job: str) -> Iterator[None]:
    """The agent's consumers, closed on every worker; open again at the end, whatever came."""
    control.say(settings, agent, "closed", by=job)
    try:
        yield
    finally:
        control.say(settings, agent, "running", by=job)


def busy(group: str, members: list[str]) -> GroupBusyError:
    """What to say of a group with members."""
    return GroupBusyError(
        f"the group {group} has members, which would commit over it: {'; '.join(members)}. Stop them, or let the command "
        "close the agent's consumers for a moment: --pause"
    )


def check(groups: Groups, settings: Settings, agent: str) -> None:
    """Refuse now what would be refused after the question.

    Raises:
        ConfigurationError: when the topic by which workers hear of a pause is missing.
    """
    topic = settings.names.topic(CONTROL_TOPIC)
    if not groups.topic_exists(topic):
        raise ConfigurationError([f"--pause tells the workers of {agent} by {topic}, which is missing: headrace init"])


def _await_empty(groups: Groups, group: str) -> None:
    until_s = time.monotonic() + _EMPTY_WITHIN_S
    while members := groups.members(group):
        if time.monotonic() > until_s:
            raise TimedOutError(
                f"the group {group} still has members after {_EMPTY_WITHIN_S:g} s: {'; '.join(members)}. Their workers do "
                "not read headrace.control (it was missing when they started), or a handler does not end"
            )
        time.sleep(_LOOK_S)


def _alter(job: Job, groups: Groups, group: str, topic: str) -> None:
    """Set, and read back. The birth of the group stays in the metadata: for "latest" it says what counts as new."""
    said = groups.metadata(group, topic)
    births = {partition: metadata.decode(said.get(partition)).birth for partition in said}
    wanted = {
        part.partition: (part.start, metadata.encode(Note(job.topic_id, births.get(part.partition))))
        for part in job.slices
    }
    refused = groups.move(group, topic, wanted)  # 3
    if refused:
        told = "; ".join(f"[{partition}] {reason}" for partition, reason in sorted(refused.items()))
        raise ReplayError(f"the broker refuses to move {group}: {told}")
    reached = groups.reached(group, topic)  # 4
    wrong = [part for part in job.slices if reached.get(part.partition) != part.start]
    if wrong:
        told = "; ".join(f"[{part.partition}] stands at {reached.get(part.partition)}" for part in wrong)
        raise ReplayError(f"{group} was moved, but another has moved it since: {told}")
    log.info("rewound", group=group, topic=topic, job=job.id)
