"""The README's commands and examples, run as they stand there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from consumers.runtime.agent import Agent
from schemas.catalogue import load_catalogue
from schemas.provision import apply, plan
from tests.support.workers import ROOT, Worker, environment

README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands():
    return [
        line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")
    ]


@pytest.fixture
def clone(tmp_path):
    """An empty clone of what is committed."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / "clone")], check=True)
    return tmp_path / "clone"


def run(command, folder, **environ):
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "HEADRACE_", "PYTEST_"))
    }
    return subprocess.run(
        command.split(), cwd=folder, env={**clean, **environ}, capture_output=True, text=True, timeout=600
    )


def test_the_two_commands_stand_at_the_top_of_the_readme():
    assert commands()[:2] == ["make demo", "make test"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_readmes_commands_pass_in_an_empty_clone(clone):
    demo = run(commands()[0], clone)
    assert demo.returncode == 0, demo.stderr[-3000:]
    for word in ("agent", "events in", "results", "dead-lettered", "events/s", "p50 ms", "p99 ms"):
        assert word in demo.stdout
    assert re.search(r"analytics\s+200,000", demo.stdout)
    page = (clone / "out/demo.html").read_text()
    assert "<script" not in page
    assert not re.search(r"(src|href)=['\"]?https?:", page)
    tests = run(commands()[1], clone, PYTEST_ADDOPTS="--collect-only -q")
    assert tests.returncode == 0, tests.stdout[-2000:]
    assert re.search(r"\d+ tests collected", tests.stdout)


def test_make_help_lists_the_commands(clone):
    listed = run("make help", clone).stdout
    for name in ("demo", "test", "lint", "stack", "worker", "clean"):
        assert f"make {name}" in listed


def test_the_example_of_an_own_agent_works(settings, tmp_path):
    example = next(block for block in blocks("python") if block.startswith("# shop/agents.py"))
    assert len([line for line in example.splitlines() if line.strip()]) <= 12
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").touch()
    (tmp_path / "shop/agents.py").write_text(example)
    catalogue = load_catalogue()
    alerts = Agent(name="alerts", topics=("texts.analyzed",), handler="shop.agents:alert")
    apply(settings, plan(settings, catalogue, agents=(*catalogue.agents, alerts)))
    environ = {"HEADRACE_CATALOGUE": "shop.agents"}
    worker = Worker(settings, tmp_path / "worker.log", "--agents", "text,alerts", cwd=tmp_path, **environ)
    try:
        worker.await_line("ready")
        posted = subprocess.run(
            [sys.executable, "-c", next(block for block in blocks("python") if "Publisher" in block)],
            env=environment(settings), cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert posted.returncode == 0, posted.stderr
        assert worker.await_line("has a email") == "42 has a email at 9, attempt 1"
        assert worker.terminate() == 0
    finally:
        worker.close()


def test_the_example_of_a_batch_handler_works(tmp_path):
    examples = [block for block in blocks("python") if "AGENTS" in block]
    assert len(examples) == 2
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").touch()
    (tmp_path / "shop/agents.py").write_text("".join(examples))
    event = {"occurred_at": 1, "user_id": "u1", "kind": "view", "url": "/", "duration_ms": 1}
    done = subprocess.run(
        [Path(sys.executable).parent / "headrace", "run", "kinds", "-"],
        input=json.dumps(event), env={**os.environ, "HEADRACE_CATALOGUE": "shop.agents", "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "partition 0: {'view': 1}" in done.stdout


def test_the_run_example_works_without_a_broker():
    line = next(command for command in commands() if "headrace run text" in command)
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    }
    done = subprocess.run(["bash", "-c", line], env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert '"fate":"done"' in done.stdout


def test_the_test_helper_example_works():
    from consumers.runtime.local import run_agent
    from schemas.records import TextPosted

    assert 'run_agent("text", TextPosted(text_id="1", text="so good")).results' in README
    ((name, fields),) = run_agent("text", TextPosted(text_id="1", text="so good")).results
    assert (name, fields["text_id"]) == ("headrace.TextAnalyzed", "1")


def test_every_setting_of_the_table_is_read_from_the_environment():
    source = (ROOT / "schemas/settings.py").read_text() + (ROOT / "consumers/text.py").read_text()
    named = set(re.findall(r"^\| `([A-Z_]+)`", README, re.MULTILINE))
    assert named
    assert {name for name in named if name not in source} == set()


def test_the_error_texts_of_the_table_are_those_of_the_code():
    product = "".join(
        path.read_text()
        for room in ("producers", "consumers", "streams", "schemas")
        for path in (ROOT / room).rglob("*.py")
    )
    events = set(re.findall(r"^\| `([a-z_]{5,})[` ]", README.split("## Troubleshooting")[1], re.MULTILINE))
    assert len(events) >= 5
    assert {event for event in events if event not in product} == set()
