"""`headrace run`: an agent on a file, with no broker."""

import json

import msgspec
import pytest

from schemas.settings import Settings
from tests.support.commands import headrace
from tests.support.kits import SHOP


@pytest.fixture
def offline(tmp_path):
    """Settings under which no server answers."""
    return Settings(
        bootstrap_servers="127.0.0.1:1",
        catalogue=SHOP,
        store_url=str(tmp_path / "objects"),
        database_url=f"sqlite:///{tmp_path / 'own.db'}",
    )


def lines(*wishes):
    return "".join(json.dumps({"order_id": f"o{number}", "wish": wish}) + "\n" for number, wish in enumerate(wishes))


def run(settings, *arguments, stdin):
    ran = headrace(settings, "run", *arguments, "-", "-o", "jsonl", stdin=stdin)
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()], ran.stderr


def test_each_line_s_results_are_shown(offline):
    code, rows, complaints = run(offline, "threads", stdin=lines("ok", "nothing"))
    assert (code, complaints) == (0, "")
    assert [row["fate"] for row in rows] == ["done", "done"]
    (result,) = rows[0]["result"]
    assert (result["record"], result["order_id"]) == ("shop.OrderConfirmed", "o0")
    assert rows[1]["result"] is None


def test_fates_are_those_of_the_runtime_at_that_attempt(offline):
    code, rows, _ = run(offline, "threads", stdin=lines("ok", "bug", "reject:sold out", "down"))
    assert code == 1
    assert [row["fate"] for row in rows] == ["done", "retried", "dead-lettered", "retried"]
    assert rows[2]["reason"] == "Reject: sold out"
    code, rows, _ = run(offline, "threads", "--attempt", "3", stdin=lines("bug"))
    assert (code, rows[0]["fate"]) == (1, "dead-lettered")


def test_a_bad_line_is_named_by_its_number_and_does_not_stop_the_rest(offline):
    code, rows, complaints = run(offline, "threads", stdin=lines("ok") + "no json\n" + lines("ok"))
    assert code == 1
    assert [row["fate"] for row in rows] == ["done", "done"]
    assert "2" in complaints


def test_a_file_is_read_as_standard_input_is(offline, tmp_path):
    file = tmp_path / "orders.jsonl"
    file.write_text(lines("ok"))
    ran = headrace(offline, "run", "threads", str(file))
    assert ran.returncode == 0, ran.stderr
    assert "done" in ran.stdout


def test_an_exact_agent_runs_over_a_database_that_is_thrown_away(offline, tmp_path):
    event = {"user_id": "u1", "kind": "view", "url": "/", "duration_ms": 5}
    settings = msgspec.structs.replace(offline, catalogue="consumers.agents")
    code, rows, complaints = run(settings, "analytics", stdin=json.dumps(event) + "\n")
    assert (code, complaints) == (0, "")
    assert [row["fate"] for row in rows] == ["done"]
    assert not (tmp_path / "own.db").exists()


def test_an_unknown_agent_and_a_missing_file_are_exit_code_2(offline):
    ran = headrace(offline, "run", "nobody", "-", stdin="")
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: there is no agent 'nobody'; the catalogue has ")
    ran = headrace(offline, "run", "threads", "no-such-file.jsonl")
    assert ran.returncode == 2
    assert "no-such-file.jsonl" in ran.stderr
    assert "Traceback" not in ran.stderr
