"""Replays by the command line, and the live agents beside them."""

import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import TopicPartition

from consumers.runtime.kit import open_kit
from consumers.runtime.local import agent_named
from consumers.runtime.runner import Runner
from producers.sender import Sender
from tests.support import commands
from tests.support.topics import read_all
from tests.support.workers import ROOT, environment

_HEADRACE = str(Path(sys.executable).parent / "headrace")


def replay(settings, *arguments, **environ):
    """`headrace replay …`, to its end."""
    return commands.headrace(settings, "replay", *map(str, arguments), **environ)


def job_of(ran):
    """The id that a replay tells of itself."""
    return re.search(r"replay (?:resume )?([0-9a-f]{8})", ran.stderr)[1]


def jobs(settings):
    """`headrace replay list`, by id."""
    return {row["job"]: row for row in commands.listed(settings, "replay", "list")}


class Process:
    """A replay that can be interrupted and killed."""

    def __init__(self, settings, *arguments):
        self.process = subprocess.Popen(
            [_HEADRACE, "replay", *map(str, arguments)],
            env=environment(settings),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, number=signal.SIGINT):
        """Send the signal and wait; exit code and stderr."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said

    def await_progress(self, done, limit_s=60.0):
        """Wait until `done()` is true while it runs; fails with what it says where it ends before."""
        until_s = time.monotonic() + limit_s
        while not done():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < until_s, f"not within {limit_s} s"
            time.sleep(0.05)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate(timeout=30)


@contextmanager
def running(settings, name, **changes):
    """The live agent of that name, until the end."""
    import msgspec

    kit, crashes = open_kit(settings), []
    sender = Sender(settings, client_id="live")
    agent = msgspec.structs.replace(agent_named(kit, name), **changes)
    runner = Runner(agent, kit, sender, known_topics=sender.topics(10), crashed=crashes.append)
    runner.start()
    try:
        yield runner
    finally:
        runner.stop(drain_s=10.0)
        assert runner.join(30)
        sender.close()
    assert crashes == []


def values(settings, topic):
    """The values of a topic's records by key, and the headers of each."""
    messages = read_all(settings.bootstrap_servers, settings.prefix + topic)
    return {message.key(): message.value() for message in messages}, [dict(m.headers() or ()) for m in messages]


def delete_before(admin, topic, offsets):
    """Take the records below these offsets, by partition, as retention does."""
    places = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
    for deleted in admin.delete_records(places).values():
        deleted.result(timeout=20)
