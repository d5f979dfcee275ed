"""The arithmetic of the limits."""

import pytest

from bench.limits import sightings
from bench.limits.__main__ import PARTS, main
from bench.limits.limit import Limit, limit, markdown
from bench.limits.memory import slope
from bench.limits.rebalance import longest_gap_ns


def test_a_value_at_its_limit_keeps_it_and_one_above_does_not():
    assert limit("start", "a start", "s", figures=[2.0], value=2.0, at_most=2.0).met
    assert limit("start", "a start", "s", figures=[2.1], value=2.1, at_most=2.0).met is False
    assert limit("start", "a start", "s", figures=[2.1], value=2.1, at_most=None).met is None


def test_the_slope_is_in_megabytes_a_minute():
    assert slope([(1.0, 100.0), (2.0, 101.5), (3.0, 103.0)]) == pytest.approx(1.5)


def test_a_pause_is_the_longest_time_in_which_a_partition_is_not_seen():
    assert longest_gap_ns({0: [10, 20, 70], 1: [12, 69]}, between=(10, 80)) == 57


def test_a_partition_that_stops_altogether_pauses_until_the_end():
    assert longest_gap_ns({0: [10, 20]}, between=(10, 100)) == 80


def test_sightings_are_read_by_process_and_partition(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_FOLDER", str(tmp_path))
    sightings._file.cache_clear()
    sightings.see(3)
    sightings.see(3)
    sightings._file().close()
    sightings._file.cache_clear()
    (pid,) = (int(path.suffix[1:]) for path in tmp_path.iterdir())
    assert {partition: len(at) for partition, at in sightings.read(tmp_path, pid).items()} == {3: 2}
    assert sightings.read(tmp_path, pid + 1) == {}


def test_what_could_not_be_measured_is_named_with_the_reason():
    line = markdown([Limit(name="latency", title="of a peer", unit="ms", unavailable="no | broker")]).splitlines()[-1]
    assert "unavailable: no / broker" in line


def test_an_unknown_part_is_refused_before_anything_starts(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--only", "nothing"])
    assert ended.value.code == 2
    assert "rebalance" in capsys.readouterr().err
    assert set(PARTS) == {"latency", "start", "rebalance", "memory"}
