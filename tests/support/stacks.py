"""A broker of the test's own, to be broken."""

import pytest

import devstack
from devstack.archive import kafka_runtime
from devstack.process import spawn_java
from schemas.settings import Settings
from tests.support import plain
from tests.support.flows import Flow


@pytest.fixture
def own_stack(tmp_path):
    """A broker for this test alone, which may kill, stop and start it."""
    with devstack.up(port=0, data=tmp_path / "stack") as stack:
        yield stack


@pytest.fixture
def own_flow(own_stack, tmp_path):
    """The shop's topics on that broker."""
    flow = flow_on(own_stack, tmp_path)
    yield flow
    flow.sender.close(5.0)


def flow_on(stack, tmp_path, **topic):
    """The shop's topics on that stack, with a store and a database in the folder."""
    settings = Settings(
        bootstrap_servers=stack.bootstrap_servers,
        prefix="own.",
        store_url=str(tmp_path / "objects"),
        database_url=f"sqlite:///{tmp_path / 'headrace.db'}",
        group_session_timeout_ms=3000,
    )
    admin = plain.admin_of(stack.bootstrap_servers)

    def make_topic(name, partitions=4, **config):
        written = {option.replace("_", "."): str(value) for option, value in config.items()}
        return plain.create_topic(admin, settings.prefix + name, partitions=partitions, config=written)

    return Flow(settings, make_topic, **topic)


def restart_with(stack, *lines):
    """Start the stack's only broker again with further properties, which devstack itself does not offer."""
    stack.down()
    (broker,) = stack.brokers
    properties = broker.folder / "server.properties"
    properties.write_text(properties.read_text() + "".join(f"{line}\n" for line in lines))
    runtime = kafka_runtime()
    arguments = ["-Xmx384m", *runtime.options, "kafka.Kafka", str(properties)]
    spawn_java(runtime.java.path, arguments, log=broker.log, pid_file=broker.folder / "process.json")
    stack.wait_until_ready()
