"""A whole small run: a broker, two rows, two rounds, and the counts that are checked on the way."""

import json

import pytest

from bench import consuming
from bench.__main__ import main
from bench.errors import WrongCountsError
from bench.ground import ground


@pytest.mark.slow
def test_two_rows_are_timed_beside_each_other_in_two_rounds(capsys):
    main(["--only", "inline", "--events", "3000", "--rounds", "2", "-o", "json"])
    bare, inline = json.loads(capsys.readouterr().out)
    assert (bare["name"], bare["ratio"], inline["name"], inline["against"]) == ("bare", 1.0, "inline", "bare")
    assert bare["unavailable"] is None
    assert inline["unavailable"] is None
    assert 0 < inline["events_per_s"]["min"] <= inline["events_per_s"]["median"] <= inline["events_per_s"]["max"]
    assert len(inline["ratios"]) == 2
    assert inline["machine"]
    assert inline["versions"]["kafka"]


@pytest.mark.slow
def test_a_run_with_wrong_counts_leaves_its_log_behind(tmp_path, monkeypatch):
    def one_too_few(_folder, events):
        raise WrongCountsError(f"{events - 1} of {events}")

    logs = tmp_path / "logs"
    monkeypatch.setattr(consuming, "LOGS", logs)
    with ground(tmp_path / "run", events=1_000) as field, pytest.raises(WrongCountsError, match=str(logs)):
        consuming.run(field, "inline", consuming.worker("inline", check=one_too_few))
    assert "ready" in (logs / "000-inline.log").read_text()


def test_an_unknown_row_is_refused_before_anything_starts(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--only", "nobody"])
    assert ended.value.code == 2
    assert "bare-publish" in capsys.readouterr().err
