import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import plan as command
from bench.plan_costs import Costs, Transaction, Work, load
from bench.planning import Target, plan
from consumers.agents import AGENTS

COSTS = Costs(
    analytics=Work(events_per_s=200_000, cpu_us=5),
    images=Work(events_per_s=25, cpu_us=20_000),
    publish=Work(events_per_s=50_000, cpu_us=15),
    small=Transaction(seconds=0.01, server_cpu_s=0.002, wal_bytes=25_000, rows=10, round_trips=7),
    full=Transaction(seconds=0.03, server_cpu_s=0.003, wal_bytes=28_000, rows=10, round_trips=7),
    stored_share=0.5,
    image_result_bytes=500,
    measured={},
)
targets = st.builds(
    Target,
    events_per_s=st.floats(1, 1e7),
    event_bytes=st.floats(1, 1e5),
    images_per_s=st.floats(1, 1e5),
    image_bytes=st.floats(100, 1e6),
    groups=st.integers(1, 10),
    replication=st.integers(1, 5),
    retention_days=st.floats(0.1, 400),
    utilisation=st.floats(0.1, 1),
    growth=st.floats(1, 10),
)
more = st.floats(1, 10)
NEEDS = (
    "analytics processes", "analytics cores", "image processes", "image cores", "publishing processes", "publishing cores",
    "partitions of activity.recorded", "partitions of images.uploaded", "network into brokers", "network out of brokers",
    "disk of brokers", "brokers", "database grows by", "rows/s, at least", "database log, at least", "database cores, at least",
)  # fmt: skip


@given(targets, st.sampled_from(["events_per_s", "images_per_s", "event_bytes", "image_bytes", "retention_days"]), more)
def test_more_load_never_needs_less(target: Target, what: str, times: float) -> None:
    before, after = plan(target, COSTS), plan(replace(target, **{what: getattr(target, what) * times}), COSTS)
    for need in NEEDS:
        assert after.value(need) >= before.value(need)
    assert after.first_limit.share >= before.first_limit.share


@given(targets, more)
def test_machines_used_less_are_never_fewer(target: Target, times: float) -> None:
    before, after = plan(target, COSTS), plan(replace(target, utilisation=target.utilisation / times), COSTS)
    for need in ("analytics processes", "image cores", "brokers"):
        assert after.value(need) >= before.value(need)


@given(targets, more)
def test_dearer_work_never_needs_fewer_workers(target: Target, times: float) -> None:
    slower = Work(events_per_s=COSTS.analytics.events_per_s / times, cpu_us=COSTS.analytics.cpu_us * times)
    before, after = plan(target, COSTS), plan(target, msgspec.structs.replace(COSTS, analytics=slower))
    for need in ("analytics processes", "analytics cores", "partitions of activity.recorded"):
        assert after.value(need) >= before.value(need)


@given(targets)
def test_the_workers_can_do_the_load_within_their_utilisation(target: Target) -> None:
    made = plan(target, COSTS)
    can = made.value("analytics processes") * COSTS.analytics.events_per_s * target.utilisation
    assert can >= target.events_per_s * (1 - 1e-9)
    at_once = made.value("image processes") * target.images_at_once
    assert at_once * COSTS.images.events_per_s * target.utilisation >= target.images_per_s * (1 - 1e-9)


@given(targets)
def test_every_worker_has_a_partition(target: Target) -> None:
    made = plan(target, COSTS)
    assert made.value("partitions of activity.recorded") >= made.value("analytics processes")
    assert made.value("partitions of images.uploaded") >= made.value("image processes")


@given(targets)
def test_there_are_as_many_brokers_as_the_hardest_rule_asks_for(target: Target) -> None:
    made = plan(target, COSTS)
    assert made.value("brokers") == made.brokers_by[made.brokers_set_by] >= target.replication
    assert all(made.value("brokers") >= count for count in made.brokers_by.values())


@given(targets)
def test_the_least_of_the_database_is_never_above_the_most(target: Target) -> None:
    made = plan(target, COSTS)
    for what in ("transactions/s", "rows/s"):
        assert made.value(f"{what}, at least") <= made.value(f"{what}, at most")


def test_what_is_brought_in_goes_to_every_replica_and_out_to_every_reader() -> None:
    made = plan(
        Target(events_per_s=1_000_000, event_bytes=100, images_per_s=1_000, image_bytes=1_000, groups=2, replication=3),
        COSTS,
    )
    assert made.value("network into brokers") == pytest.approx((50 + 1 + 0.5) * 3)
    assert made.value("network out of brokers") == pytest.approx((50 + 1) * 2 + 0.5 + 51.5 * 2)
    assert made.value("disk of brokers") == pytest.approx(51.5e6 * 7 * 86_400 * 3 / 1e12)


def test_a_plan_is_for_the_agents_as_the_catalogue_has_them() -> None:
    agents = {agent.name: agent for agent in AGENTS}
    assert Target().batch_records == agents["analytics"].batch_records
    assert Target().images_at_once == agents["images"].concurrency


def test_full_batches_make_the_fewest_transactions() -> None:
    made = plan(Target(events_per_s=1_000_000, batch_records=10_000), COSTS)
    assert made.value("transactions/s, at least") == 100
    assert made.value("rows/s, at least") == 1_000


def test_the_fullest_limit_is_the_first() -> None:
    made = plan(Target(database_cores=1), COSTS)
    assert made.first_limit.name == "PostgreSQL's cores"
    assert made.first_limit.share == max(limit.share for limit in made.limits)


def test_the_bench_s_results_replace_the_rates(tmp_path: Any) -> None:
    measured, results = tmp_path / "costs.json", tmp_path / "results.json"
    measured.write_bytes(msgspec.json.encode(COSTS))
    assert load(measured, results) == COSTS
    rows = [
        {"name": "analytics", "events_per_s": {"median": 300_000.0}, "date": "2026-11-24"},
        {"name": "publish", "events_per_s": None, "date": "2026-11-24"},
    ]
    results.write_text(json.dumps(rows))
    newer = load(measured, results)
    assert newer.analytics == Work(events_per_s=300_000, cpu_us=5)
    assert newer.publish == COSTS.publish
    assert newer.measured["rates"] == "bench/results.json, 2026-11-24"


def test_the_table_has_every_figure_and_names_the_first_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    shown = capsys.readouterr().out
    made = plan(Target(), load())
    assert all(f"| {figure.name} |" in shown and figure.how in shown for figure in made.figures)
    assert f"The first of them is {made.first_limit.name}" in shown


def test_the_page_shows_the_plan_of_the_checked_in_costs(tmp_path: Any) -> None:
    page = (Path(command.__file__).parents[1] / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert command.text(plan(Target(), load(results=tmp_path / "none"))) in page


def test_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["--events-per-s", "50000", "-o", "json"])
    said = json.loads(capsys.readouterr().out)
    made = plan(Target(events_per_s=50_000), load())
    assert said["target"]["events_per_s"] == 50_000
    assert {figure["name"]: figure["value"] for figure in said["figures"]} == {
        figure.name: figure.value for figure in made.figures
    }


def test_a_limit_that_is_exceeded_ends_in_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--events-per-s", "1e12"]) == 1
    assert "PostgreSQL" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--utilisation", "1.5"], ["--events-per-s", "0"], ["--groups", "-1"]])
def test_a_number_out_of_range_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(words)
    assert ended.value.code == 2
    assert "above 0" in capsys.readouterr().err
