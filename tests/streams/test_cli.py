"""The command line: fast, and helpful."""

import json
import subprocess
import sys

import pytest

from streams.cli import CONTEXT, Commands, root
from tests.support.workers import ROOT

HEAVY = ("confluent_kafka", "faust", "polars", "fastavro", "pyvips", "sqlalchemy", "rich", "aiokafka")
WATCHED = """
import json, sys
from streams.cli import root, run
code = run(root, {arguments!r})
loaded = [name for name in {heavy!r} if name in sys.modules]
print("\\n" + json.dumps([code, loaded]))
"""


def run_watched(*arguments):
    """Exit code, what was printed, and which of the heavy modules the command has imported."""
    script = WATCHED.format(arguments=list(arguments), heavy=HEAVY)
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.stderr == ""
    printed, _, last = ran.stdout.rstrip().rpartition("\n")
    return (*json.loads(last), printed)


def commands():
    """Every command with its words, those of groups within groups too."""
    context = root.make_context("headrace", [], resilient_parsing=True)
    found = {}
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        found[name,] = command
        for inner in getattr(command, "commands", {}):
            found[name, inner] = command.commands[inner]
    return found


def test_help_imports_no_kafka_no_faust_no_frames():
    code, loaded, printed = run_watched("-h")
    assert (code, loaded) == (0, [])
    assert "Examples:" in printed


def test_the_version_imports_nothing_heavy_either():
    code, loaded, printed = run_watched("--version")
    assert (code, loaded) == (0, [])
    assert printed.startswith("headrace ")


@pytest.mark.parametrize("name", ["doctor", "status", "run", "init"])
def test_a_command_s_help_imports_no_faust_and_no_frames(name):
    code, loaded, _ = run_watched(name, "-h")
    assert code == 0
    assert not {"faust", "polars", "pyvips", "aiokafka"} & set(loaded)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_each_command_explains_itself_with_two_to_four_examples(words):
    command = commands()[words]
    with command.make_context(" ".join(words), [], resilient_parsing=True, **CONTEXT) as context:
        text = command.get_help(context)
    assert "Examples:" in text
    examples = text.split("Examples:")[1].split("Options:")[0].split("Commands:")[0].strip().splitlines()
    assert 2 <= sum("headrace " in line for line in examples) <= 4, examples
    assert all(line.count("headrace ") <= 1 for line in examples), "wrapped: the mark before the examples is missing"


@pytest.mark.parametrize("words", [(), *commands()], ids=lambda words: " ".join(words) or "headrace")
def test_h_and_help_are_help_everywhere(words):
    texts = [run_watched(*words, option) for option in ("-h", "--help")]
    assert [text[0] for text in texts] == [0, 0]
    assert texts[0][2] == texts[1][2]


def test_the_list_of_commands_is_complete_and_each_is_described():
    context = root.make_context("headrace", [], resilient_parsing=True)
    text = root.get_help(context)
    assert isinstance(root, Commands)
    for name in root.list_commands(context):
        (line,) = (line for line in text.splitlines() if line.strip().startswith(f"{name} "))
        assert len(line.split()) > 2


@pytest.mark.parametrize("arguments", [["nothing"], ["status", "--nothing"], ["run", "images"]])
def test_wrong_usage_is_exit_code_2_with_nothing_on_stdout(arguments):
    ran = subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "Usage:" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_traceback_is_shown_only_with_v(tmp_path):
    def run(*arguments):
        command = [sys.executable, "-m", "streams.cli", *arguments, "status", "--catalogue", "no.such"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert "Traceback" not in run().stderr
    assert run().returncode == 2
    assert "Traceback" in run("-v").stderr
