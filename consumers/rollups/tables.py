"""The tables of the analytics agent; every row has one writer: its partition's, or the one that closes windows."""

import sqlalchemy as sa

metadata = sa.MetaData()

summaries = sa.Table(
    "headrace_activity",
    metadata,
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("window_start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("dropped", sa.BigInteger, nullable=False),
    sa.Column("duration_sum_ms", sa.BigInteger, nullable=False),
    sa.Column("duration_min_ms", sa.BigInteger),
    sa.Column("duration_max_ms", sa.BigInteger),
    sa.Column("durations", sa.LargeBinary, nullable=False),
    sa.Column("users", sa.LargeBinary, nullable=False),
    sa.Column("urls", sa.LargeBinary),
)
"""A summary by partition, window and kind. `urls` is NULL when they are too many: then they stand in `url_counts`."""

url_counts = sa.Table(
    "headrace_activity_urls",
    metadata,
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("window_start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("url", sa.LargeBinary, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Counts by url, in UTF-8: bytes, because PostgreSQL's text refuses a NUL that a url may carry."""

watermarks = sa.Table(
    "headrace_activity_watermarks",
    metadata,
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("largest_occurred_at", sa.BigInteger, nullable=False),
    sa.Column("active_at_us", sa.BigInteger, nullable=False),
)
"""By partition: the largest occurred_at before its stored offset, and when (by the clock) its last batch was counted."""

unpublished = sa.Table(
    "headrace_activity_unpublished",
    metadata,
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("window_start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Summaries that changed since they were last published; `count` tells whether they have changed again meanwhile."""

revisions = sa.Table(
    "headrace_activity_revisions",
    metadata,
    sa.Column("group_name", sa.Text, primary_key=True),
    sa.Column("window_start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The last published revision of each closed window."""

clocks = sa.Table(
    "headrace_activity_clocks",
    metadata,
    sa.Column("group_name", sa.Text, primary_key=True),
    sa.Column("running_since_us", sa.BigInteger, nullable=False),
    sa.Column("ticked_at_us", sa.BigInteger, nullable=False),
)
"""Since when the agent has been running without a break: a partition can only be called idle while somebody reads it."""
