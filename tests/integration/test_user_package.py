"""A user's own package, in a folder of its own, run by the installed Headrace."""

import io
import json
import subprocess
import sys

import fastavro
import msgspec
import pytest

from tests.support.commands import faust, headrace
from tests.support.flows import eventually
from tests.support.topics import read_all
from tests.support.workers import Worker, environment

RECORDS = {
    "greeting_wanted": {
        "type": "record",
        "name": "GreetingWanted",
        "namespace": "bakery",
        "doc": "Somebody wants to be greeted.",
        "fields": [
            {"name": "event_id", "type": "string", "doc": "UUIDv7."},
            {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-micros"}, "doc": "When."},
            {"name": "name", "type": "string", "doc": "Whom."},
        ],
    },
    "greeting_said": {
        "type": "record",
        "name": "GreetingSaid",
        "namespace": "bakery",
        "doc": "Somebody was greeted.",
        "fields": [
            {"name": "event_id", "type": "string", "doc": "UUIDv7."},
            {
                "name": "occurred_at",
                "type": {"type": "long", "logicalType": "timestamp-micros"},
                "doc": "The source's.",
            },
            {"name": "text", "type": "string", "doc": "What was said."},
            {"name": "agent", "type": "string", "doc": "By whom."},
            {"name": "thread", "type": "long", "doc": "The system's number of the handler's thread."},
        ],
    },
}
AGENTS = """
from consumers.runtime.agent import Agent
from schemas.topics import Topic

SCHEMAS = "schemas"
TOPICS = (
    Topic(name="greetings.wanted", record="bakery.GreetingWanted", key_field="name"),
    Topic(name="greetings.said", record="bakery.GreetingSaid"),
)
AGENTS = (
    Agent(name="greeter", topics=("greetings.wanted",), handler="bakery.greet:greet", output="greetings.said"),
    Agent(name="shouter", topics=("greetings.wanted",), handler="bakery.greet:greet", output="greetings.said"),
)
"""
HANDLER = """
import threading
import time

from consumers.context import Context
from bakery.records import GreetingSaid, GreetingWanted


def greet(greeting: GreetingWanted, context: Context) -> GreetingSaid:
    time.sleep(0.02)
    return GreetingSaid(text=f"Hello, {greeting.name}!", agent=context.agent, thread=threading.get_native_id())
"""
PUBLISH = """
import sys
from bakery.records import GreetingWanted
from producers import Publisher
from schemas.settings import from_environment

with Publisher(from_environment()) as publisher:
    for name in sys.argv[1:]:
        publisher.publish(GreetingWanted(name=name))
"""


@pytest.fixture
def project(tmp_path):
    """A folder with a package `bakery`: schemas, records generated from them, a handler and a catalogue."""
    folder = tmp_path / "project"
    package = folder / "bakery"
    (package / "schemas").mkdir(parents=True)
    for name, record in RECORDS.items():
        (package / "schemas" / f"{name}.avsc").write_text(json.dumps(record))
    for name, text in {"__init__": '"""A bakery."""', "agents": AGENTS, "greet": HANDLER, "publish": PUBLISH}.items():
        (package / f"{name}.py").write_text(text)
    generated = subprocess.run(
        [sys.executable, "-m", "streams.cli", "schema", "generate", "bakery/schemas", "-o", "bakery/records.py"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert generated.returncode == 0, generated.stderr
    return folder


@pytest.fixture
def bakery(project, settings, tmp_path):
    """What one does from that folder: init, publish, run workers; without Headrace's sources on the path."""
    settings = msgspec.structs.replace(settings, catalogue="bakery.agents")
    made = Bakery(project, settings, tmp_path)
    ran = made.headrace("init", "--yes")
    assert ran.returncode == 0, ran.stderr
    yield made
    for worker in made.workers:
        worker.close()


class Bakery:
    def __init__(self, folder, settings, tmp_path):
        self.folder, self.settings, self._tmp = folder, settings, tmp_path
        self.workers = []
        self.threads = set()

    def headrace(self, *arguments, **environ):
        return headrace(self.settings, *arguments, cwd=self.folder, PYTHONPATH="", **environ)

    def faust(self, *arguments, **environ):
        return faust(self.settings, *arguments, cwd=self.folder, PYTHONPATH="", **environ)

    def start_worker(self, *options, **environ):
        log = self._tmp / f"bakery{len(self.workers)}.log"
        self.workers.append(Worker(self.settings, log, *options, cwd=self.folder, PYTHONPATH="", **environ))
        return self.workers[-1]

    def publish(self, *names):
        command = [sys.executable, "-m", "bakery.publish", *names]
        subprocess.run(command, cwd=self.folder, env=environment(self.settings, PYTHONPATH=""), check=True)

    def said(self):
        """The results, read by fastavro alone: 10 bytes of single-object header, then the body."""
        parsed = fastavro.parse_schema(RECORDS["greeting_said"])
        messages = read_all(self.settings.bootstrap_servers, f"{self.settings.prefix}greetings.said")
        bodies = [fastavro.schemaless_reader(io.BytesIO(message.value()[10:]), parsed, None) for message in messages]
        self.threads = {body["thread"] for body in bodies}
        return sorted((body["agent"], body["text"]) for body in bodies)


def test_a_user_s_events_are_published_handled_and_answered(bakery):
    bakery.publish("Ada", "Grace")
    worker = bakery.start_worker("--catalogue", "bakery.agents", HEADRACE_CATALOGUE="")
    wanted = [(agent, f"Hello, {name}!") for agent in ("greeter", "shouter") for name in ("Ada", "Grace")]
    eventually(lambda: len(bakery.said()) >= len(wanted))
    assert bakery.said() == wanted
    assert worker.terminate() == 0


def test_agents_picks_some_by_flag_and_by_variable(bakery):
    bakery.publish("Ada")
    by_flag = bakery.start_worker("--agents", "shouter")
    eventually(bakery.said)
    assert "shouter (group" in by_flag.await_line(" ready ")
    assert "greeter" not in by_flag.text()
    assert bakery.said() == [("shouter", "Hello, Ada!")]
    by_variable = bakery.start_worker(HEADRACE_AGENTS="greeter")
    eventually(lambda: len(bakery.said()) == 2)
    assert "shouter" not in by_variable.text()
    assert [worker.terminate() for worker in bakery.workers] == [0, 0]


def test_concurrency_overrides_the_catalogue(bakery):
    bakery.publish(*[f"n{number}" for number in range(60)])
    worker = bakery.start_worker("--concurrency", "greeter=7", "--agents", "greeter")
    eventually(lambda: len(bakery.said()) == 60)
    assert len(bakery.threads) == 7
    assert worker.terminate() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--agents", "baker"], "there is no agent 'baker'; the catalogue has"),
        (["--concurrency", "baker=2"], "there is no agent 'baker'"),
        (["--concurrency", "greeter=many"], "--concurrency greeter=many: agent=number is needed"),
        (["--concurrency", "greeter=0"], "concurrency must be at least 1"),
        (["--catalogue", "no.such.module"], "catalogue no.such.module: ModuleNotFoundError"),
    ],
)
def test_unknown_names_and_wrong_values_are_one_error_and_exit_code_2(bakery, options, said):
    ran = bakery.faust("worker", *options)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert len([line for line in ran.stderr.splitlines() if line.startswith("error:")]) == 1


def test_status_shows_the_user_s_agents(bakery):
    ran = bakery.headrace("status", "-o", "json")
    assert ran.returncode == 0, ran.stderr
    assert [row["agent"] for row in json.loads(ran.stdout)][-2:] == ["greeter", "shouter"]
