"""The handlers of Headrace's rows: they count what they handle by kind, as every other contestant's do."""

import time

import polars as pl

from bench.limits import sightings
from bench.peers.tally import mine
from consumers import analytics, images, text
from consumers.batch import Batch
from consumers.context import Context
from schemas.records import (
    ActivityRecorded,
    ActivityRolledUp,
    ImageProcessed,
    ImageUploaded,
    TextAnalyzed,
    TextPosted,
)

_MINUTE_US = 60_000_000


def count(activity: ActivityRecorded) -> None:
    """Count one event."""
    mine.counts[activity.kind] += 1


async def count_soon(activity: ActivityRecorded) -> None:
    """Count one event after an await that is over at once."""
    await _nothing()
    mine.counts[activity.kind] += 1


def count_columns(activity: Batch, context: Context) -> None:  # noqa: ARG001
    """Count a batch by kind and minute."""
    minute = pl.col("occurred_at") // _MINUTE_US
    for kind, _, events in activity.frame.group_by("kind", minute).len().iter_rows():
        mine.counts[kind] += events


def roll_up(activity: Batch, context: Context) -> list[ActivityRolledUp]:
    """What the analytics agent does; then count the batch, by kind, for the bench."""
    rolled_up = analytics.roll_up(activity, context)
    for kind, events in activity.frame["kind"].value_counts().iter_rows():
        mine.counts[kind] += events
    return rolled_up


def process_image(image: ImageUploaded, context: Context) -> ImageProcessed:
    """What the images agent does; then count it."""
    processed = images.process(image, context)
    mine.counts["image"] += 1
    return processed


def analyze_text(post: TextPosted, context: Context) -> TextAnalyzed:
    """What the text agent does; then count it."""
    analyzed = text.analyze(post, context)
    mine.counts["text"] += 1
    return analyzed


def answer(activity: ActivityRecorded) -> ActivityRecorded:
    """The event again, as a result: its time is the question's."""
    return activity


def dawdle(activity: ActivityRecorded) -> None:
    """Sleep a millisecond; then count the event."""
    time.sleep(0.001)
    mine.counts[activity.kind] += 1


def sight(activity: ActivityRecorded, context: Context) -> None:  # noqa: ARG001
    """Write down which partition was worked on."""
    sightings.see(context.origin.partition)


async def _nothing() -> None:
    pass
