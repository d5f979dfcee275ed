"""Analytics replayed on the real broker: windows counted anew, and replaced at once."""

import functools
import random
import signal
import threading
import time
from contextlib import closing, contextmanager

import msgspec
import pytest
import sqlalchemy as sa

from consumers import analytics
from consumers.database import Database, offsets
from consumers.errors import RejectSome
from consumers.rollups.tables import summaries, unpublished
from consumers.runtime.broker_view import BrokerView
from producers import Publisher
from schemas.catalogue import load_catalogue
from schemas.event import now_us
from schemas.records import ActivityRecorded
from streams.replay import windows
from streams.replay.job import ReplayError
from streams.replay.request import Request, prepare
from tests.support import commands
from tests.support.activity import MINUTE, stored_rows, stored_watermarks
from tests.support.flows import eventually
from tests.support.replays import delete_before, jobs, replay, running

TOPIC = "activity.recorded"


@pytest.fixture
def settings(provisioned, request):
    """With a database of the kind that the test asks for: SQLite, unless it says otherwise."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return provisioned
    return msgspec.structs.replace(provisioned, database_url=request.getfixturevalue("empty_postgres_url"))


def publish(settings, count, *, seed=1):
    """Events of the last ten minutes, some of them too late to be counted."""
    draw, latest = random.Random(seed), now_us()
    with Publisher(settings) as publisher:
        for number in range(count):
            at_us = latest - 10 * MINUTE * (count - number) // count - draw.randrange(2 * MINUTE)
            kind = draw.choice(["view", "view", "click", "purchase"])
            url, user = f"/{draw.randrange(300)}", f"user-{draw.randrange(200)}"
            publisher.publish(
                ActivityRecorded(user_id=user, kind=kind, url=url, duration_ms=draw.randrange(900), occurred_at=at_us)
            )


def count(settings, topic=None):
    """Let the live agent count what there is."""
    group, topic = settings.names.group("analytics"), topic or settings.names.topic(TOPIC)
    with running(settings, "analytics") as runner:
        eventually(lambda: runner.ready.is_set() and lag(settings, group, topic) == 0)


def lag(settings, group, topic):
    with closing(BrokerView(settings)) as view:
        ends, commits = view.ends([topic]), view.commits(group, [topic])
        return sum(high - (commits[place].offset if place in commits else 0) for place, (_, high) in ends.items())


def rows(settings):
    return stored_rows(settings.database_url, settings.names.group("analytics"))


def groups_stored(settings):
    with closing(Database(settings.database_url)) as database, database.reading() as connection:
        return set(connection.execute(sa.select(offsets.c.group_name)).scalars())


def spoil(settings, kind, by):
    """Miscount a kind in every window of every partition, as a handler with a fault would have."""
    with closing(Database(settings.database_url)) as database, database.transaction() as connection:
        wrong = sa.update(summaries).where(summaries.c.kind == kind).values(count=summaries.c.count + by)
        connection.execute(wrong)
        connection.execute(sa.delete(unpublished))


def marked(settings):
    """The kinds that are to be published again."""
    with closing(Database(settings.database_url)) as database, database.reading() as connection:
        return set(connection.execute(sa.select(unpublished.c.kind)).scalars())


@contextmanager
def watching(settings, seen):
    """Collect what a reader sees of the live rows, again and again, in the meantime."""
    stop = threading.Event()

    def look():
        while not stop.is_set():
            read = analytics.read(settings.database_url, group=settings.names.group("analytics"))
            seen.add(tuple((row["window_start"], row["kind"], row["count"]) for row in read))

    thread = threading.Thread(target=look)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_windows_that_were_counted_right_are_left_as_they_are(settings):
    publish(settings, 3_000)
    count(settings)
    before = rows(settings)
    spoil(settings, "no-such-kind", 0)
    ran = replay(settings, TOPIC, "--from", "start", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert "0 windows have changed" in ran.stderr
    assert rows(settings) == before
    assert marked(settings) == set()
    assert groups_stored(settings) == {settings.names.group("analytics")}


@pytest.mark.parametrize("settings", ["sqlite", "postgres"], indirect=True)
def test_a_reader_sees_the_windows_all_old_or_all_new_and_only_what_differs_is_published_again(settings):
    publish(settings, 3_000)
    count(settings)
    right = rows(settings)
    spoil(settings, "click", 1_000)
    seen = set()
    with watching(settings, seen):
        ran = replay(settings, TOPIC, "--from", "start", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert rows(settings) == right
    assert len(seen) == 2
    assert marked(settings) == {"click"}
    assert [job["state"] for job in jobs(settings).values()] == ["done"]


def test_what_was_redriven_is_not_counted_again_where_it_first_stood(settings, monkeypatch):
    publish(settings, 1_000)
    honest = analytics.roll_up

    @functools.wraps(honest)
    def faulty(activity, context):
        users = activity.frame["user_id"].to_list()
        wrong = {at: "a fault" for at, user in zip(activity.offsets, users, strict=True) if user < "user-2"}
        if wrong:
            raise RejectSome(wrong)
        return honest(activity, context)

    with monkeypatch.context() as patched:
        patched.setattr(analytics, "roll_up", faulty)
        count(settings)
    sent = commands.headrace(settings, "dlq", "redrive", "--all", "--yes")
    assert sent.returncode == 0, sent.stderr
    count(settings, settings.names.retry("analytics", 0))
    right = rows(settings)
    ran = replay(settings, TOPIC, "--from", "start", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert "0 windows have changed" in ran.stderr
    assert "they are dead letters" in ran.stderr
    assert rows(settings) == right


def test_only_the_windows_of_the_range_are_replaced(settings):
    publish(settings, 3_000)
    count(settings)
    right = rows(settings)
    spoil(settings, "click", 1_000)
    wrong, ago_us = rows(settings), now_us() - 5 * MINUTE
    since_us = ago_us - ago_us % MINUTE
    ran = replay(settings, TOPIC, "--from", f"@{since_us // 1_000_000}", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert rows(settings) == {key: (right if key[1] >= since_us else wrong)[key] for key in right}


@pytest.mark.parametrize("settings", ["sqlite", "postgres"], indirect=True)
def test_while_the_live_agent_counts_on_the_swap_waits_for_the_moment_at_which_both_stand_alike(settings):
    publish(settings, 3_000)
    count(settings)
    spoil(settings, "click", 1_000)
    publishing = threading.Thread(target=publish_slowly, args=(settings,))
    with running(settings, "analytics"):
        publishing.start()
        ran = replay(settings, TOPIC, "--from", "start", "--yes")
        assert ran.returncode == 0, ran.stderr
        publishing.join()
        eventually(lambda: lag(settings, settings.names.group("analytics"), settings.names.topic(TOPIC)) == 0)
    again = replay(settings, TOPIC, "--from", "start", "--yes")
    assert "0 windows have changed" in again.stderr
    assert sum(row[0] + row[1] for row in rows(settings).values()) == 3_000 + 600
    assert set(stored_watermarks(settings.database_url, settings.names.group("analytics"))) == {0, 1, 2, 3}


@pytest.mark.parametrize("settings", ["sqlite", "postgres"], indirect=True)
def test_where_the_live_agent_never_stands_still_the_swap_gives_up_and_replaces_nothing(settings, monkeypatch):
    monkeypatch.setattr(windows, "_TRIES", 5)
    publish(settings, 3_000)
    count(settings)
    spoil(settings, "click", 1_000)
    wanted = Request(topic=TOPIC, start="start", end=None, agent="analytics")
    job, caught_up = prepare(wanted, settings, load_catalogue()).job, []

    def move_on(_done):
        """Each time that the shadow has caught up, the live agent counts one event more."""
        caught_up.append(stored_events(settings))
        with Publisher(settings) as publisher:
            publisher.publish(ActivityRecorded(user_id="late", kind="view", url="/", duration_ms=1)).result()
        eventually(lambda: stored_events(settings) > caught_up[-1])

    with running(settings, "analytics"):
        with pytest.raises(ReplayError, match=r"has counted on each of the 5 times .* workers of analytics stopped"):
            windows.run(job, settings, move_on)
        assert len(caught_up) >= 5
        spoiled = rows(settings)
        assert any(key[2] == "click" and row[0] > 1_000 for key, row in spoiled.items()), "nothing was replaced"
    ran = windows.run(job, settings, lambda _done: None)
    assert "windows have changed" in ran.said
    assert groups_stored(settings) == {settings.names.group("analytics")}
    assert stored_events(settings) == 3_000 + len(caught_up)


def stored_events(settings):
    """How many events are counted, or were too late to be."""
    return sum(row[0] + row[1] for row in rows(settings).values())


def publish_slowly(settings):
    with Publisher(settings) as publisher:
        for number in range(600):
            publisher.publish(ActivityRecorded(user_id=f"user-{number}", kind="view", url="/", duration_ms=1))
            time.sleep(0.01)


def test_a_replay_that_was_killed_resumes_and_leaves_nothing_behind(settings, start_replay):
    publish(settings, 60_000)
    count(settings)
    right = rows(settings)
    spoil(settings, "click", 1_000)
    process = start_replay(settings, TOPIC, "--from", "start", "--yes")
    process.await_progress(lambda: len(groups_stored(settings)) == 2)
    process.end(signal.SIGKILL)
    (job,) = jobs(settings)
    ran = replay(settings, "resume", job)
    assert ran.returncode == 0, ran.stderr
    assert rows(settings) == right
    assert groups_stored(settings) == {settings.names.group("analytics")}


def test_windows_that_retention_has_partly_eaten_are_refused_by_name(settings, admin):
    publish(settings, 3_000)
    count(settings)
    before = rows(settings)
    delete_before(admin, settings.names.topic(TOPIC), {0: 5})
    ran = replay(settings, TOPIC, "--from", "@-4m", "--yes")
    assert ran.returncode == 2
    minute_us = (now_us() - 4 * MINUTE) // MINUTE * MINUTE
    first = time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(minute_us // 1_000_000))
    assert "retention has taken events of" in ran.stderr
    assert first[:14] in ran.stderr
    assert rows(settings) == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "47"), "analytics is replayed by window: give times"),
        (("--from", "start", "--where", "kind=view"), "--where is not for analytics"),
        (("--from", "start", "--key", "a"), "--key is not for analytics"),
        (("--from", "start"), "has counted nothing of"),
    ],
)
def test_what_analytics_cannot_do_is_refused(settings, arguments, told):
    ran = replay(settings, TOPIC, *arguments, "--yes")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert told in ran.stderr
