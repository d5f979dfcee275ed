"""How long a replay will take: as one of its kind has taken, or as its agent's workers go; a figure of neither is not made up."""

from schemas.settings import Settings
from streams.overall import live_workers
from streams.replay import jobs_topic
from streams.replay.job import Job
from streams.replay.progress import duration_text


def expected(job: Job, settings: Settings) -> str:
    """The time a job needs, in a sentence that says by what.

    Raises:
        ConfigurationError: when headrace.jobs is missing.
    """
    if job.rate is not None:
        return f"it takes {duration_text(job.records / job.rate)} at least, at {job.rate:g}/s"
    for earlier in jobs_topic.every(settings):
        if earlier.timed_s > 0 and earlier.timed_records and _is_alike(job, earlier):
            rate = earlier.timed_records / earlier.timed_s
            return f"it takes about {duration_text(job.records / rate)} at the {rate:,.0f}/s of job {earlier.id}"
    rate = sum(
        report.overall_rate for each in live_workers(settings) for report in each.agents if report.name == job.agent
    )
    if rate > 0:
        return (
            f"it takes about {duration_text(job.records / rate)} at the {rate:,.0f}/s of its workers since they started"
        )
    return "how long it takes, no earlier replay and no worker tells; --rate sets a pace"


def _is_alike(job: Job, earlier: Job) -> bool:
    """Whether an earlier job's pace says something of this one's. A rewind's own is but the moving of offsets."""
    same = all(getattr(job, name) == getattr(earlier, name) for name in ("mode", "topic", "agent", "key", "where"))
    return same and job.mode != "rewind" and earlier.rate is None
