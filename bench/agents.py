"""Headrace's rows as a catalogue of agents: `faust -A streams worker --catalogue bench.agents --agents inline`.

What an agent does not say is the catalogue's default: order by key, five attempts, a dead-letter topic, at most 20,000 records
in flight.
"""

import msgspec

from consumers import agents
from consumers.runtime.agent import Agent, Executor
from schemas.topics import Topic

ACTIVITY = "activity.recorded"
PUBLISHED, BACKLOG = "activity.published", "activity.backlog"
ASKED, ANSWERED = "activity.asked", "activity.answered"
IMAGES, TEXTS = "images.uploaded", "texts.posted"
_BUILT_IN = {agent.name: agent for agent in agents.AGENTS}

TOPICS = tuple(
    Topic(name=name, record="headrace.ActivityRecorded", key_field="user_id")
    for name in (PUBLISHED, BACKLOG, ASKED, ANSWERED)
)


AGENTS = (
    Agent(
        name="echo", topics=(ASKED,), handler="bench.handlers:answer", output=ANSWERED,
        executor=Executor.INLINE, deadline_s=None,
    ),
    Agent(name="sight", topics=(ASKED,), handler="bench.handlers:sight"),
    Agent(name="backlog", topics=(BACKLOG,), handler="bench.handlers:dawdle", concurrency=8),
    Agent(
        name="columns", topics=(ACTIVITY,), handler="bench.handlers:count_columns", batch_records=10_000,
        fields=("kind", "occurred_at"),
    ),
    msgspec.structs.replace(_BUILT_IN["analytics"], name="roll-up", handler="bench.handlers:roll_up"),
    msgspec.structs.replace(_BUILT_IN["images"], name="thumbnails", handler="bench.handlers:process_image"),
    msgspec.structs.replace(_BUILT_IN["text"], name="texts", handler="bench.handlers:analyze_text"),
    Agent(name="inline", topics=(ACTIVITY,), handler="bench.handlers:count", executor=Executor.INLINE, deadline_s=None),
    Agent(name="threads", topics=(ACTIVITY,), handler="bench.handlers:count", concurrency=8),
    Agent(
        name="asyncio", topics=(ACTIVITY,), handler="bench.handlers:count_soon",
        executor=Executor.ASYNCIO, concurrency=256,
    ),
    Agent(
        name="processes", topics=(ACTIVITY,), handler="bench.handlers:count", executor=Executor.PROCESSES, concurrency=2
    ),
)  # fmt: skip
