"""`headrace status`, and the same through Faust."""

import json

import pytest

from tests.support.commands import faust, headrace, listed
from tests.support.flows import eventually


def row_of(settings, agent, *options):
    (row,) = (row for row in listed(settings, "status", *options) if row["agent"] == agent)
    return row


@pytest.fixture
def topics(shop, workers_topic):
    return shop.make_topic("threads.dlq", partitions=1)


def test_it_tells_lag_and_dead_letters_where_no_worker_runs(shop, topics):
    shop.place(*[(f"o{number}", "ok") for number in range(7)])
    row = row_of(shop.settings, "threads")
    assert (row["workers"], row["lag"], row["dead_letters"], row["p50_ms"]) == (0, 7, 0, None)
    assert row["group"] == f"{shop.settings.prefix}threads"


def test_what_waits_for_another_attempt_counts_as_lag(shop, topics):
    aside = shop.make_topic("unordered.retry.1s", partitions=1)
    shop.place(*[(f"o{number}", "ok") for number in range(3)])
    for key in (b"o7", b"o8"):
        shop.sender.send(aside, b"x", key=key)
    assert shop.sender.flush(30) == 0
    assert row_of(shop.settings, "unordered")["lag"] == 5
    assert row_of(shop.settings, "threads")["lag"] == 3
    partitions = [row for row in listed(shop.settings, "status", "--partitions") if row["agent"] == "unordered"]
    assert [row["lag"] for row in partitions if row["topic"] == aside] == [2]


def test_it_tells_what_workers_say_and_what_the_broker_says(shop, topics, start_worker):
    shop.place(*[(f"o{number}", "reject" if number < 2 else "ok") for number in range(12)])
    worker = start_worker(shop.settings, "--agents", "threads")

    def settled():
        row = row_of(shop.settings, "threads")
        told = [row[name] for name in ("workers", "lag", "handled", "results", "dead_letters", "stopped")]
        return row if told == [1, 0, 10, 10, 2, 0] else None

    row = eventually(settled, every_s=0.5)
    assert row["p99_ms"] >= row["p50_ms"] > 0

    partitions = [row for row in listed(shop.settings, "status", "--partitions") if row["agent"] == "threads"]
    assert [row["partition"] for row in partitions] == [0, 1, 2, 3]
    assert sum(row["committed"] or 0 for row in partitions) == sum(row["end"] for row in partitions) == 12
    assert {row["lag"] for row in partitions} == {0}
    assert len({row["owner"] for row in partitions}) == 1
    assert partitions[0]["owner"].endswith(f"-{worker.process.pid}")

    assert worker.terminate() == 0
    assert row_of(shop.settings, "threads")["workers"] == 0


def test_active_shows_the_record_that_runs_now_and_for_how_long(shop, workers_topic, start_worker):
    shop.make_topic("ledger.dlq", partitions=1)
    shop.place(("o1", "ok"), ("slowly", "slow:20"))
    assert listed(shop.settings, "status", "--active") == []
    worker = start_worker(shop.settings, "--agents", "ledger", SHOP_LEDGER="/dev/null")
    (running,) = eventually(lambda: listed(shop.settings, "status", "--active"))
    (record,) = (message for message in shop.read(shop.placed) if message.key() == b"slowly")
    assert (running["agent"], running["topic"]) == ("ledger", shop.placed)
    assert (running["partition"], running["offset"]) == (record.partition(), record.offset())
    assert running["worker"].endswith(f"-{worker.process.pid}")
    later = eventually(
        lambda: [row for row in listed(shop.settings, "status", "--active") if row["for_s"] > running["for_s"]]
    )
    assert [row["offset"] for row in later] == [record.offset()]
    worker.kill()  # told to leave, it would wait for the slow one


def test_the_table_is_for_people_and_jsonl_one_object_a_line(shop, topics):
    shop.place(("o1", "ok"))
    table = headrace(shop.settings, "status")
    assert table.returncode == 0
    assert {"agent", "lag", "workers"} <= set(table.stdout.splitlines()[0].split())
    assert any(line.split()[0] == "threads" for line in table.stdout.splitlines()[1:])
    lines = headrace(shop.settings, "status", "-o", "jsonl").stdout.splitlines()
    assert {json.loads(line)["agent"] for line in lines} >= {"threads", "inline"}


def test_faust_s_status_says_the_same(shop, topics):
    shop.place(("o1", "ok"))
    ours = listed(shop.settings, "status", "--partitions")
    ran = faust(shop.settings, "status", "--partitions", "-o", "json")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout) == ours


def test_a_wrong_catalogue_is_exit_code_2(settings):
    ran = headrace(settings, "status", "--catalogue", "no.such")
    assert ran.returncode == 2
    assert "catalogue no.such" in ran.stderr
