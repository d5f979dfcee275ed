"""`headrace replay` as an operator meets it: plans, questions, wrong input."""

import json
import re

import pytest

from schemas.settings import Settings
from tests.support.commands import faust
from tests.support.flows import eventually
from tests.support.replays import job_of, jobs, replay

THREADS = ("orders.placed", "--agent", "threads")


def test_a_plan_is_shown_and_off_a_terminal_nothing_is_done_without_yes(flow):
    flow.place(*[(f"o{number}", "ok") for number in range(40)])
    ran = replay(flow.settings, *THREADS, "--from", "2", "-o", "json")
    assert ran.returncode == 2
    assert "nothing was done: this is no terminal to ask at; add --yes, or --dry-run" in ran.stderr
    ends = flow.ends(flow.placed)
    expected = [{"partition": n, "from": 2, "to": end, "records": end - 2} for n, end in sorted(ends.items())]
    assert json.loads(ran.stdout) == expected
    assert jobs_are_none(flow)


def jobs_are_none(flow):
    return jobs_or_none(flow) == {}


def jobs_or_none(flow):
    ran = replay(flow.settings, "list", "-o", "json")
    return {row["job"]: row for row in json.loads(ran.stdout)}


def test_a_dry_run_ends_well_and_does_nothing(flow):
    flow.place(("o1", "ok"))
    ran = replay(flow.settings, *THREADS, "--from", "start", "--dry-run")
    assert ran.returncode == 0
    assert "threads works on up to 1 records of orders.placed again" in ran.stderr
    assert jobs_are_none(flow)


def test_a_plan_tells_how_long_it_takes_by_an_earlier_replay_or_by_the_pace_that_is_asked_for(flow):
    flow.place(*[(f"o{number}", "ok") for number in range(200)])
    plan = (*THREADS, "--from", "start", "--dry-run")
    assert "how long it takes, no earlier replay and no worker tells" in replay(flow.settings, *plan).stderr
    assert "it takes 20 s at least, at 10/s" in replay(flow.settings, *plan, "--rate", 10).stderr
    assert "/s of job" not in replay(flow.settings, *plan).stderr
    job = job_of(replay(flow.settings, *THREADS, "--from", "start", "--yes"))
    row = jobs(flow.settings)[job]
    assert row["timed_records"] == 200
    said = replay(flow.settings, *plan).stderr
    assert re.search(rf"it takes about {row['timed_s']:.0f} s at the {200 / row['timed_s']:,.0f}/s of job {job}", said)
    assert "/s of job" not in replay(flow.settings, *plan, "--key", "o1").stderr


def test_a_plan_tells_how_long_it_takes_at_the_pace_of_the_workers(flow, start_worker):
    flow.make_topic("headrace.workers", partitions=1, cleanup_policy="compact")
    flow.place(*[(f"o{number}", "ok") for number in range(500)])
    start_worker(flow.settings, "--agents", "threads")
    plan = (*THREADS, "--from", "start", "--mode", "rewind", "--pause", "--dry-run")
    pace = r"it takes about [\d,]+ s at the [\d,]+/s of its workers since they started"
    eventually(lambda: re.search(pace, replay(flow.settings, *plan).stderr), every_s=0.5)


def test_an_empty_range_is_told_and_makes_no_job(flow):
    ran = replay(flow.settings, *THREADS, "--from", "end", "--yes")
    assert (ran.returncode, ran.stderr.splitlines()[-1]) == (0, "there is nothing in this range")
    assert jobs_are_none(flow)


def test_the_same_command_is_fausts(flow):
    flow.place(*[(f"o{number}", "ok") for number in range(8)])
    ran = faust(flow.settings, "replay", *THREADS, "--from", "start", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert jobs(flow.settings)[job_of(ran)]["done"] == 8
    assert "headrace replay texts.posted --from @-1h" in faust(flow.settings, "replay", "-h").stdout


def test_the_help_shows_examples_and_the_verbs():
    ran = replay(Settings(), "-h")
    assert ran.returncode == 0
    assert "Usage: headrace replay --from POSITION [OPTIONS] TOPIC" in ran.stdout
    assert "headrace replay texts.posted --from @-1h" in ran.stdout
    for verb in ("resume", "list", "cancel"):
        assert "Examples:" in replay(Settings(), verb, "-h").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("orders.placed", "--from", "start"), "several agents read orders.placed: name one of inline, threads"),
        (("no.such", "--from", "start"), "no agent of the catalogue reads no.such"),
        (("no.such", "--from", "start", "--mode", "republish", "--to-topic", "a"), "has no topic"),
        ((*THREADS, "--from", "soon"), "'soon' is no position"),
        ((*THREADS, "--from", "1:2", "--to", "3"), "names an end already"),
        ((*THREADS, "--from", "start", "--where", "wsh=ok"), "there is no field wsh; there are event_id"),
        ((*THREADS, "--from", "start", "--where", "__import__('os')"), "cannot read"),
        ((*THREADS, "--from", "start", "--key", "hex:zz"), "--key hex:zz"),
        ((*THREADS, "--from", "start", "--to-topic", "a", "--pause"), "--pause is for --mode rewind"),
        ((*THREADS, "--from", "start", "--rate", "0"), "0 is not in the range"),
        ((*THREADS,), "Missing option '--from'"),
        ((*THREADS, "--from", "1:2", "--mode", "rewind"), "--to is not for a rewind"),
        ((*THREADS, "--from", "@-1h:@-30m", "--mode", "rewind"), "--to is not for a rewind"),
        (("orders.placed", "--from", "start", "--agent", "text"), "agent text does not read orders.placed; it reads"),
        (("orders.placed", "--from", "start", "--agent", "nobody"), "there is no agent 'nobody'"),
        (
            ("orders.placed", "--from", "start", "--agent", "counting"),
            "counting is an exact agent whose rows no replay",
        ),
        (("resume", "00000000"), "there is no job 00000000"),
        (("cancel", "00000000", "--yes"), "there is no job 00000000"),
    ],
)
def test_wrong_input_is_told_with_exit_code_2_and_nothing_is_done(flow, arguments, told):
    ran = replay(flow.settings, *arguments)
    assert (ran.returncode, ran.stdout) == (2, ""), ran
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


def test_without_a_broker_it_ends_with_3_and_says_what_to_do(settings):
    ran = replay(settings, *THREADS, "--from", "start", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert ran.returncode == 3
    assert "no Kafka broker answers at 127.0.0.1:1" in ran.stderr


def test_where_the_jobs_topic_is_missing_init_is_named(shop):
    ran = replay(shop.settings, "list")
    assert ran.returncode == 2
    assert "create it with: headrace init" in ran.stderr
