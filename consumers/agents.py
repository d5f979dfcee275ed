"""Every agent, on one screen. A user's own package has a module like this one: AGENTS, TOPICS and SCHEMAS."""

from consumers.runtime.agent import Agent, Executor, Order, RetryPolicy

AGENTS = (
    Agent(
        name="images",
        topics=("images.uploaded",),
        handler="consumers.images:process",
        output="images.processed",
        executor=Executor.PROCESSES,  # what an upload makes libvips die of costs a child; 1.2 times as fast as two threads
        concurrency=2,
        order=Order.UNORDERED,  # each upload is an event by itself; one that is late waits aside and holds nothing back
        deadline_s=30.0,
        retry=RetryPolicy(attempts=4, topic_delays_s=(5, 60, 600)),
    ),
    Agent(
        name="text",
        topics=("texts.posted",),
        handler="consumers.text:analyze",
        output="texts.analyzed",
        executor=Executor.PROCESSES,  # regular expressions and Python loops hold the GIL
        concurrency=2,
        deadline_s=30.0,
        retry=RetryPolicy(attempts=4, first_delay_s=0.2, max_delay_s=10.0),
    ),
    Agent(
        name="analytics",
        topics=("activity.recorded",),
        handler="consumers.analytics:roll_up",
        tick="consumers.analytics:close_idle",
        output="activity.rolled-up",
        batch_records=60_000,  # 1.16 times as fast as with 20,000: "Large batches" in docs/performance.md
        max_in_flight=160_000,  # with 240,000 no faster, and 40 MB more
        fields=("occurred_at", "user_id", "kind", "url", "duration_ms"),
        exact=True,
        deadline_s=60.0,
        retry=RetryPolicy(attempts=3, first_delay_s=1.0, max_delay_s=30.0),
    ),
    Agent(
        name="overview",
        topics=("images.processed", "texts.analyzed", "activity.rolled-up", "images.dlq", "text.dlq", "analytics.dlq"),
        handler="consumers.overview:fold",
        batch_records=5_000,
        fields=(),  # what came of a record stands in its headers
        exact=True,
        deadline_s=60.0,
        retry=RetryPolicy(attempts=3, first_delay_s=1.0, max_delay_s=30.0),
    ),
)
