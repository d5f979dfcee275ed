"""A worker with too many hung threads replaces itself, and goes on."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.replacement import recent
from tests.support.flows import eventually

TROUBLES = "tests.support.troubles"
moments = st.lists(st.integers(0, 10_000).map(float))


@given(moments=moments, now_s=st.integers(0, 10_000))
def test_replacements_of_the_last_ten_minutes_count_and_no_others(moments, now_s):
    told = " ".join(f"{moment:.0f}" for moment in moments)
    assert recent(told, now_s) == [moment for moment in moments if now_s - moment < 600]


def test_a_worker_that_was_never_replaced_has_no_moments():
    assert recent("", 1.0) == []


@pytest.mark.slow
def test_a_worker_whose_handlers_hang_replaces_itself_and_goes_on(shop, start_worker):
    dead = shop.make_topic("hasty.dlq", partitions=1)
    shop.place(*[(f"hung{number}", "hang") for number in range(4)])
    worker = start_worker(shop.settings, "--agents", "hasty", "--catalogue", TROUBLES)
    pid = worker.process.pid
    worker.await_line("replacing")
    eventually(lambda: worker.text().count(" ready ") == 2, limit_s=60)
    shop.place(*[(f"o{number}", "ok") for number in range(20)])
    eventually(lambda: shop.lag("hasty") == 0)
    letters = shop.read(dead)
    assert {message.key() for message in letters} == {f"hung{number}".encode() for number in range(4)}
    assert len(shop.read(shop.confirmed)) == 20
    assert (worker.process.poll(), worker.process.pid) == (None, pid)
    assert b"HEADRACE_REPLACED_AT=" in Path(f"/proc/{pid}/environ").read_bytes()
    assert worker.terminate() == 0


def test_a_worker_that_was_replaced_five_times_in_ten_minutes_gives_up_with_70(shop, start_worker):
    shop.make_topic("hasty.dlq", partitions=1)
    shop.place(*[(f"hung{number}", "hang") for number in range(4)])
    just_now = " ".join([f"{time.time():.0f}"] * 5)
    worker = start_worker(shop.settings, "--agents", "hasty", "--catalogue", TROUBLES, HEADRACE_REPLACED_AT=just_now)
    assert worker.process.wait(60) == 70
    assert "replaced 5 times in 600 s: giving up" in worker.text()


def test_a_worker_that_is_told_to_end_while_it_drains_to_be_replaced_ends(shop, start_worker):
    for name in ("hasty.dlq", "patient.dlq"):
        shop.make_topic(name, partitions=1)
    shop.place(*[(f"hung{number}", "hang") for number in range(3)])
    agents = ("--agents", "hasty,patient", "--catalogue", TROUBLES)
    worker = start_worker(shop.settings, *agents, HEADRACE_STOP_LIMIT_S=10)
    # Six are the hasty agent's, which tries each twice; with a seventh the patient one has begun, and is drained.
    eventually(lambda: worker.text().count(" hangs") >= 7, limit_s=60)
    shop.place(("hung3", "hang"))
    worker.await_line("revoked agent=hasty")
    assert worker.terminate() == 70, "one of its handlers did not end"
    assert worker.text().count(" ready ") == 1
