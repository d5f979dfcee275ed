"""The compacted topic headrace.jobs: the latest word on each job."""

import msgspec

from producers.errors import UnknownTopicError
from schemas.errors import ConfigurationError, HeadraceError
from schemas.names import JOBS_TOPIC
from schemas.settings import Settings
from streams import one_record
from streams.overall import whole_topic
from streams.replay.job import Job


class UnknownJobError(HeadraceError):
    """Raised when no job has this id."""

    exit_code = 2

    def __init__(self, job: str) -> None:
        super().__init__(f"there is no job {job}; headrace replay list shows those that are there")


def every(settings: Settings) -> list[Job]:
    """All jobs, the newest first.

    Raises:
        ConfigurationError: when the topic is missing.
    """
    topic = settings.names.topic(JOBS_TOPIC)
    latest: dict[bytes, bytes | None] = {}
    try:
        for message in whole_topic(settings, topic):
            latest[message.key() or b""] = message.value()
    except UnknownTopicError as error:
        raise ConfigurationError([one_record.missing(topic)]) from error
    jobs = [job for value in latest.values() if value is not None and (job := _replay(value)) is not None]
    return sorted(jobs, key=lambda job: -job.created_ms)


def _replay(value: bytes) -> Job | None:
    """The job; None for what is no replay, or one of a version that this one does not know."""
    try:
        return msgspec.json.decode(value, type=Job)
    except msgspec.DecodeError:
        return None


def named(settings: Settings, job_id: str) -> Job:
    """The job of that id.

    Raises:
        UnknownJobError: when there is none.
    """
    for job in every(settings):
        if job.id == job_id:
            return job
    raise UnknownJobError(job_id)


def save(settings: Settings, job: Job) -> Job:
    """Write the job down, acknowledged by the broker; gives it back.

    Raises:
        ConfigurationError: when the topic is missing.
        TimedOutError: when the broker does not acknowledge it.
    """
    one_record.write(settings, JOBS_TOPIC, job.id.encode(), msgspec.json.encode(job), what=f"job {job.id}")
    return job
