"""What the tallies of several processes tell together."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from bench.errors import WrongCountsError
from bench.peers.tally import LINE
from bench.progress import rate_together, read

SECOND = 1_000_000_000


def write(folder, name, *lines):
    (folder / name).write_bytes(b"".join(LINE.pack(*line) for line in lines))


def test_before_the_first_event_there_is_no_progress(tmp_path):
    write(tmp_path, "1")
    assert read(tmp_path) is None


def test_the_rate_leaves_out_what_was_handled_before_the_first_tally(tmp_path):
    write(tmp_path, "1", (SECOND, 100, 0, 0, 0, 0, 0), (3 * SECOND, 150, 50, 0, 0, 0, 0))
    found = read(tmp_path)
    assert (found.first, found.handled, found.seconds) == (100, 200, 2.0)
    assert found.events_per_s == 50.0


def test_processes_add_up_from_the_earliest_tally_to_the_latest(tmp_path):
    write(tmp_path, "1", (SECOND, 10, 0, 0, 0, 0, 0), (2 * SECOND, 20, 0, 0, 0, 0, 0))
    write(tmp_path, "2", (2 * SECOND, 0, 5, 0, 0, 0, 0), (3 * SECOND, 0, 25, 0, 5, 0, 0))
    found = read(tmp_path)
    assert found.kinds == Counter({"view": 20, "click": 25, "purchase": 5})
    assert found.events_per_s == pytest.approx((50 - 10) / 2)


def test_a_line_that_is_being_written_is_left_for_the_next_look(tmp_path):
    write(tmp_path, "1", (SECOND, 1, 0, 0, 0, 0, 0))
    with (tmp_path / "1").open("ab") as file:
        file.write(b"\x00" * 7)
    assert read(tmp_path).handled == 1


def test_workers_are_timed_together_while_all_of_them_are_at_work(tmp_path):
    write(tmp_path, "0", (SECOND // 2, 1, 0, 0, 0, 0, 0), (SECOND, 2, 0, 0, 0, 0, 0))  # cut off by the rebalance
    write(tmp_path, "1", (SECOND, 10, 0, 0, 0, 0, 0), (2 * SECOND, 20, 0, 0, 0, 0, 0), (4 * SECOND, 40, 0, 0, 0, 0, 0))
    write(
        tmp_path, "2", (2 * SECOND, 1, 0, 0, 0, 0, 0), (4 * SECOND, 9, 0, 0, 0, 0, 0), (9 * SECOND, 50, 0, 0, 0, 0, 0)
    )
    assert rate_together(tmp_path, 2) == ((40 - 20) + (9 - 1)) / 2


def test_workers_that_were_never_at_work_together_give_no_rate(tmp_path):
    write(tmp_path, "1", (SECOND, 10, 0, 0, 0, 0, 0))
    write(tmp_path, "2", (2 * SECOND, 1, 0, 0, 0, 0, 0))
    with pytest.raises(WrongCountsError):
        rate_together(tmp_path, 2)


def test_what_a_process_counts_as_it_ends_is_written_too(tmp_path):
    count = "from bench.peers.tally import mine; mine.counts['view'] += 1; mine.counts['click'] += 2"
    subprocess.run([sys.executable, "-c", count], env={**os.environ, "BENCH_TALLY": str(tmp_path)}, check=True)
    assert read(tmp_path).kinds == Counter({"view": 1, "click": 2})
