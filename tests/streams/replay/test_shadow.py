"""A shadow replay on the real broker: exactly the range, aside from the live group."""

import signal
import time
from contextlib import closing

import pytest

from producers import Publisher
from schemas.records import ImageUploaded, TextPosted
from streams.replay.groups import Groups
from tests.support import pictures
from tests.support.flows import eventually
from tests.support.replays import delete_before, job_of, jobs, replay, running, values
from tests.support.shop.records import OrderConfirmed


def reached(settings, agent, topic):
    with closing(Groups(settings)) as groups:
        return groups.reached(settings.prefix + agent, settings.prefix + topic)


def await_commits(settings, agent, topic, count):
    eventually(lambda: sum(reached(settings, agent, topic).values()) == count)


def orders(flow, topic):
    """The ids of the orders that a topic's results name, one for each result."""
    return [flow.kit.codec.decode(m.value(), OrderConfirmed).order_id for m in flow.read(flow.settings.prefix + topic)]


def made(flow):
    """How many results stand in each replay's topic; a command that tells it starts too slowly to see it run."""
    begins = f"{flow.settings.prefix}orders.confirmed.replay."
    return {topic: len(flow.read(topic)) for topic in flow.sender.topics(10) if topic.startswith(begins)}


def standing(flow, of):
    """The ids of the orders whose place in the log is so."""
    return {m.key().decode() for m in flow.read(flow.placed) if of(m.partition(), m.offset())}


def test_texts_and_images_come_out_byte_for_byte_and_the_live_groups_stay(provisioned):
    settings = provisioned
    drawing = pictures.coffee().resize(0.1).write_to_buffer(".png")
    with Publisher(settings) as publisher:
        for number in range(20):
            publisher.publish(TextPosted(text_id=f"t{number}", text=f"So good: write to a{number}@example.org"))
        for number in range(4):
            publisher.publish(ImageUploaded(image_id=f"i{number}", content=drawing, variants=(pictures.variant(),)))
    for agent, source, target, count in (
        ("text", "texts.posted", "texts.analyzed", 20),
        ("images", "images.uploaded", "images.processed", 4),
    ):
        with running(settings, agent):
            await_commits(settings, agent, source, count)
            before = reached(settings, agent, source)
            ran = replay(settings, source, "--from", "start", "--yes")
            assert ran.returncode == 0, ran.stderr
            assert reached(settings, agent, source) == before
        live, _ = values(settings, target)
        again, headers = values(settings, f"{target}.replay.{job_of(ran)}")
        assert len(live) == count
        assert again == live
        assert {header["headrace-replay"].decode() for header in headers} == {job_of(ran)}
        assert jobs(settings)[job_of(ran)]["state"] == "done"


def test_exactly_the_range_is_worked_on_with_no_record_more_or_less(flow):
    flow.place(*[(f"o{number}", "tell") for number in range(200)])
    ran = replay(flow.settings, "orders.placed", "--from", "10", "--to", "25", "--agent", "threads", "--yes")
    assert ran.returncode == 0, ran.stderr
    found = orders(flow, f"orders.confirmed.replay.{job_of(ran)}")
    assert sorted(found) == sorted(standing(flow, lambda _, offset: 10 <= offset < 25))
    told = flow.read(f"{flow.settings.prefix}orders.confirmed.replay.{job_of(ran)}")
    assert {flow.kit.codec.decode(m.value(), OrderConfirmed).padding for m in told} == {"a replay"}
    assert flow.read(flow.confirmed) == []
    group = f"threads.replay.{job_of(ran)}"
    assert reached(flow.settings, group, "orders.placed") == dict.fromkeys(range(4), 25)


def test_failures_go_to_a_dead_letter_topic_of_the_jobs_own(flow):
    flow.place(*[(f"o{number}", "reject" if number < 3 else "until:2") for number in range(12)])
    ran = replay(flow.settings, "orders.placed", "--from", "start", "--agent", "threads", "--yes")
    assert ran.returncode == 1
    assert f"3 failed and are in threads.replay.{job_of(ran)}.dlq" in ran.stderr
    assert len(flow.read(f"{flow.settings.prefix}threads.replay.{job_of(ran)}.dlq")) == 3
    assert len(orders(flow, f"orders.confirmed.replay.{job_of(ran)}")) == 9
    assert flow.read(f"{flow.settings.prefix}threads.dlq") == []


def test_results_go_to_the_live_topic_when_that_is_wished_with_their_mark(flow):
    flow.place(*[(f"o{number}", "ok") for number in range(8)])
    ran = replay(flow.settings, "orders.placed", "--from", "start", "--agent", "threads", "--publish", "--yes")
    assert ran.returncode == 0, ran.stderr
    published = flow.read(flow.confirmed)
    assert len(published) == 8
    assert {dict(m.headers())["headrace-replay"].decode() for m in published} == {job_of(ran)}


def test_only_records_of_the_key_whose_fields_are_so_are_worked_on(flow):
    flow.place(*[(f"o{number}", wish) for number in range(4) for wish in ("ok", "tell", "ok")])
    arguments = ("--from", "start", "--agent", "threads", "--key", "o2", "--where", "wish=ok", "--yes")
    ran = replay(flow.settings, "orders.placed", *arguments)
    assert ran.returncode == 0, ran.stderr
    assert orders(flow, f"orders.confirmed.replay.{job_of(ran)}") == ["o2", "o2"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_replay_resumes_and_every_record_of_the_range_has_a_result(flow, start_replay, number):
    flow.place(*[(f"o{number:03}", "slow:0.05") for number in range(600)])
    process = start_replay(flow.settings, "orders.placed", "--from", "20", "--to", "120", "--agent", "threads", "--yes")
    process.await_progress(lambda: sum(made(flow).values()) > 30)
    code, said = process.end(number)
    (job,) = jobs(flow.settings)
    assert jobs(flow.settings)[job]["state"] == ("interrupted" if number == signal.SIGINT else "running")
    if number == signal.SIGINT:
        assert code == 1
        assert f"headrace replay resume {job}" in said
    ran = replay(flow.settings, "resume", job)
    assert ran.returncode == 0, ran.stderr
    found = orders(flow, f"orders.confirmed.replay.{job}")
    assert set(found) == standing(flow, lambda _, offset: 20 <= offset < 120)
    if number == signal.SIGINT:
        assert len(found) == len(set(found))
    assert jobs(flow.settings)[job]["done"] == jobs(flow.settings)[job]["records"]
    assert replay(flow.settings, "resume", job).returncode == 2


def test_a_rate_holds_it_back(flow):
    flow.place(*[(f"o{number}", "ok") for number in range(60)])
    started_s = time.monotonic()
    ran = replay(flow.settings, "orders.placed", "--from", "start", "--agent", "threads", "--rate", "20", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert time.monotonic() - started_s >= (60 - 20) / 20


def test_what_retention_has_taken_of_the_range_is_said_with_counts_and_the_rest_is_done(flow, admin):
    flow.place(*[(f"o{number}", "ok") for number in range(200)])
    delete_before(admin, flow.placed, {0: 15, 1: 5})
    arguments = ("orders.placed", "--from", "10", "--to", "20", "--agent", "threads")
    planned = replay(flow.settings, *arguments, "--dry-run")
    assert f"{flow.placed} [0]: retention has taken 5 offsets of the range (offsets 10 to 14)" in planned.stderr
    assert f"{flow.placed} [1]" not in planned.stderr
    ran = replay(flow.settings, *arguments, "--yes")
    assert ran.returncode == 0, ran.stderr
    wanted = standing(flow, lambda partition, offset: (15 if partition == 0 else 10) <= offset < 20)
    assert set(orders(flow, f"orders.confirmed.replay.{job_of(ran)}")) == wanted


def test_a_cancelled_job_leaves_its_topics_and_says_so_but_no_group(flow, start_replay):
    flow.place(*[(f"o{number:03}", "slow:0.2") for number in range(400)])
    process = start_replay(flow.settings, "orders.placed", "--from", "start", "--agent", "threads", "--yes")
    process.await_progress(lambda: sum(made(flow).values()) > 10)
    (topic,) = made(flow)
    job = topic.rpartition(".")[2]
    busy = replay(flow.settings, "cancel", job, "--yes")
    assert busy.returncode == 1
    assert "its members" in busy.stderr
    process.end()
    ran = replay(flow.settings, "cancel", job, "--yes")
    assert ran.returncode == 0, ran.stderr
    assert f"orders.confirmed.replay.{job}" in ran.stderr
    assert jobs(flow.settings)[job]["state"] == "cancelled"
    assert reached(flow.settings, f"threads.replay.{job}", "orders.placed") == {}
    assert replay(flow.settings, "resume", job).returncode == 2
