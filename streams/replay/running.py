"""A job from its start, or from where it was left, to its end, its interruption or its failure; each is written down."""

import signal
from collections.abc import Callable
from contextlib import closing

import click
from confluent_kafka import KafkaException

from consumers.errors import Unavailable
from consumers.runtime.broker_view import reason_of
from schemas.errors import HeadraceError, UnreachableError
from schemas.settings import Settings
from streams.replay import jobs_topic, progress
from streams.replay.finished import Finished
from streams.replay.groups import Groups
from streams.replay.job import Job, ReplayError

Run = Callable[[Job, Settings, Callable[[int], None]], Finished]


def execute(job: Job, settings: Settings) -> int:
    """Run it.

    Returns:
        0, or 1 where records failed, were lost, or the replay was interrupted.

    Raises:
        HeadraceError: why it cannot go on; the job can be resumed.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's stop is an interruption like Ctrl-C
    jobs_topic.save(settings, job.changed(state="running"))
    with progress.shown(f"replay {job.id}", total=job.records, first=reached(job, settings)) as told:
        try:
            _check_log(job, settings)
            finished = _run_of(job)(job, settings, told)
        except KeyboardInterrupt:
            return _interrupted(_timed(job, told), settings, told.done)
        except (HeadraceError, KafkaException, TimeoutError) as error:
            raise _failed(_timed(job, told), settings, told.done, error) from error
    return _done(_timed(job, told), settings, finished)


def _timed(job: Job, told: progress.Told) -> Job:
    """With what this process has covered, and how long it took: what the next plan is made by."""
    records, seconds = told.covered
    return job.changed(timed_records=job.timed_records + records, timed_s=round(job.timed_s + seconds, 3))


def reached(job: Job, settings: Settings) -> int:
    """How many offsets of the range are covered, by the commits, or the stored offsets, of the job's own group."""
    if job.mode == "rewind":
        return job.done
    if job.windows is not None:
        from streams.replay import windows

        return windows.reached(job, settings)
    with closing(Groups(settings)) as groups:
        return job.covered(groups.reached(job.group(settings.names), settings.names.topic(job.topic)))


def _run_of(job: Job) -> Run:
    from streams.replay import republish, rewind, shadow

    if job.windows is not None:
        from streams.replay import windows

        return windows.run
    runs: dict[str, Run] = {"shadow": shadow.run, "rewind": rewind.run, "republish": republish.run}
    return runs[job.mode]


def _check_log(job: Job, settings: Settings) -> None:
    topic = settings.names.topic(job.topic)
    with closing(Groups(settings)) as groups:
        topic_id = groups.topic_id(topic)
    if topic_id != job.topic_id:
        raise ReplayError(f"the topic {topic} was deleted and made again: nothing of the range is left in it")


def _interrupted(job: Job, settings: Settings, done: int) -> int:
    jobs_topic.save(settings, job.changed(state="interrupted", done=done, said="interrupted"))
    click.echo(f"interrupted at {done:,} of {job.records:,}; go on with: headrace replay resume {job.id}", err=True)
    return 1


def _failed(job: Job, settings: Settings, done: int, error: Exception) -> HeadraceError:
    if isinstance(error, HeadraceError):
        told = UnreachableError(str(error)) if isinstance(error, Unavailable) else error
    else:
        told = ReplayError(f"the broker refuses: {reason_of(error)}")
    try:
        jobs_topic.save(settings, job.changed(state="failed", done=done, said=str(told)))
    except HeadraceError:
        return told  # the broker is away: what it says is the reason for both
    click.echo(f"replay {job.id} stopped; go on with: headrace replay resume {job.id}", err=True)
    return told


def _done(job: Job, settings: Settings, finished: Finished) -> int:
    failures = finished.failures + finished.lost
    lost = f"; retention took {finished.lost:,} offsets before they were read" if finished.lost else ""
    said = f"{finished.said}{lost}"
    jobs_topic.save(settings, job.changed(state="done", done=job.records, failures=failures, said=said))
    click.echo(f"replay {job.id} is done: {said}" if said else f"replay {job.id} is done", err=True)
    return 1 if failures else 0
