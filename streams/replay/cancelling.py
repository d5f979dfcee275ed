"""The end of a job before its time."""

from contextlib import closing

from schemas.errors import ConfigurationError
from schemas.settings import Settings
from streams import control
from streams.replay import jobs_topic
from streams.replay.groups import Groups
from streams.replay.job import OPEN, Job


def cancel(job: Job, settings: Settings) -> str:
    """Cancel it; what is left of it, in words.

    The group goes first: one with members says that a process still works on the job, and then nothing is marked.

    Raises:
        ConfigurationError: when the job has ended already.
        ReplayError: when a process still works on it.
    """
    if job.state not in OPEN:
        raise ConfigurationError([f"job {job.id} is {job.state} already"])
    left = []
    if job.mode == "rewind":
        if job.pause:
            control.say(settings, str(job.agent), "running", by=job.id)
    elif job.windows is not None:
        from streams.replay import windows

        windows.forget(job, settings)
    else:
        suffixes = (f".replay.{job.id}", f".replay.{job.id}.dlq")
        with closing(Groups(settings)) as groups:
            groups.delete(job.group(settings.names))
            left = [settings.names.bare(topic) for topic in groups.topics() if topic.endswith(suffixes)]
    said = f"its topics are left: {', '.join(left)}" if left else "nothing of it is left"
    jobs_topic.save(settings, job.changed(state="cancelled", said=said))
    return f"job {job.id} is cancelled; {said}"
