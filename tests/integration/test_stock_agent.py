"""A user's stock `@app.agent` beside ours; and where there is none, a Faust that touches nothing."""

import msgspec
import psutil
import pytest

from tests.support import plain
from tests.support.flows import eventually
from tests.support.workers import ROOT, Worker

CATALOGUE = """
import os
from pathlib import Path

from streams import app
from tests.support.shop import agents as shop

SCHEMAS, TOPICS, AGENTS = shop.SCHEMAS, shop.TOPICS, shop.AGENTS


@app.agent(app.topic(os.environ["POSTCARDS"], value_type=bytes, value_serializer="raw"))
async def read_postcards(postcards):
    async for postcard in postcards:
        with Path(os.environ["RECEIVED"]).open("ab") as file:
            file.write(postcard + b"\\n")
"""

WITNESS = """
import os
import sys


def witness(event, arguments):
    if event in ("socket.connect", "socket.bind") and isinstance(arguments[1], tuple):
        with open(os.environ["SOCKETS"], "a") as file:
            file.write(f"{event} {arguments[1]}\\n")


sys.addaudithook(witness)
"""
"""Notes each network connection that Python opens; librdkafka's are C's, and raise no such event."""


@pytest.fixture
def folder(tmp_path):
    """A working directory of the worker's own, with a catalogue that adds a stock agent."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "post_office.py").write_text(CATALOGUE)
    (tmp_path / "witness").mkdir()
    (tmp_path / "witness" / "sitecustomize.py").write_text(WITNESS)
    (tmp_path / "sockets").touch()
    return home


@pytest.fixture
def worker_in(tmp_path):
    started = []

    def start(flow, folder, *options, **environ):
        environ = {"SOCKETS": tmp_path / "sockets", "PYTHONPATH": f"{tmp_path / 'witness'}:{ROOT}", **environ}
        started.append(Worker(flow.settings, tmp_path / "worker.log", *options, cwd=folder, **environ))
        return started[-1]

    yield start
    for worker in started:
        worker.close()


@pytest.mark.slow
def test_a_stock_agent_runs_beside_ours_and_receives_its_messages(shop, folder, worker_in, tmp_path):
    shop.make_topic("inline.dlq", partitions=1)
    postcards, received = shop.make_topic("postcards", partitions=1), tmp_path / "received"
    received.touch()
    shop.settings = msgspec.structs.replace(shop.settings, catalogue="post_office")
    worker = worker_in(shop, folder, "--agents", "inline", POSTCARDS=postcards, RECEIVED=received)
    worker.await_line(" ready ")
    shop.place(*[(f"o{number}", "ok") for number in range(20)])
    plain.write(shop.settings.bootstrap_servers, postcards, [b"from Rome", b"from Oslo"])
    eventually(lambda: received.read_bytes() == b"from Rome\nfrom Oslo\n", limit_s=60)
    eventually(lambda: shop.lag("inline") == 0)
    assert len(shop.read(shop.confirmed)) == 20
    assert listening(worker) == set()
    assert "socket.connect" in (tmp_path / "sockets").read_text()
    assert worker.terminate() == 0


def test_without_a_stock_agent_faust_opens_no_connection_and_makes_no_topic_group_or_folder(
    shop, folder, worker_in, admin, tmp_path
):
    shop.make_topic("inline.dlq", partitions=1)
    before = set(admin.list_topics(timeout=10).topics)
    worker = worker_in(shop, folder, "--agents", "inline")
    worker.await_line(" ready ")
    shop.place(("o1", "ok"))
    eventually(lambda: shop.lag("inline") == 0)
    assert (tmp_path / "sockets").read_text() == ""
    assert listening(worker) == set()
    made = {
        topic for topic in set(admin.list_topics(timeout=10).topics) - before if topic.startswith(shop.settings.prefix)
    }
    assert made == set()
    groups = {group.group_id for group in admin.list_consumer_groups(request_timeout=10).result().valid}
    assert {group for group in groups if group.startswith(shop.settings.prefix)} == {f"{shop.settings.prefix}inline"}
    assert worker.terminate() == 0
    assert {path.name for path in folder.iterdir()} <= {"post_office.py", "__pycache__", "data"}
    assert not (folder / "data" / "faust").exists()


def listening(worker):
    """Addresses that the process accepts connections at."""
    found = psutil.Process(worker.process.pid).net_connections("inet")
    return {connection.laddr for connection in found if connection.status == psutil.CONN_LISTEN}
