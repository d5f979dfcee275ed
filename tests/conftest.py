"""The real servers that tests run against: one broker a session, names of its own for each test."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

import devstack
from schemas.settings import Settings
from tests.support import broker, plain

# No deadline: these machines are noisy, and no test is about time. Derandomized: the same run gives the same answer.
hypothesis.settings.register_profile("headrace", deadline=None, derandomize=True)
hypothesis.settings.load_profile("headrace")

_taken: dict[str, str] = {}


_LONGEST = (
    "test_readme.py",
    "test_chaos.py",
    "test_suspects.py",
    "test_patience.py",
    "test_hung_batches.py",
    "test_faults.py",
)
"""Files of minutes, and few tests: begun last, one of them would keep one side waiting for the other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first."""
    items.sort(key=lambda item: _LONGEST.index(item.path.name) if item.path.name in _LONGEST else len(_LONGEST))


def pytest_report_header() -> str:
    return f"kafka: {broker.choose().name}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for what, where in _taken.items():
        terminalreporter.write_line(f"{what}: {where}")


@pytest.fixture(scope="session")
def bootstrap_servers() -> Iterator[str]:
    """The session's Kafka; the tests that ask for it fail where none can be had."""
    source = broker.choose()
    with source.open() as servers:
        _taken["kafka"] = f"{servers} ({source.name})"
        yield servers


@pytest.fixture(scope="session")
def registry_url() -> Iterator[str]:
    """The session's schema registry: SCHEMA_REGISTRY_URL, else devstack's Apicurio."""
    with ExitStack() as stack:
        url = os.environ.get("SCHEMA_REGISTRY_URL")
        if url is None:
            folder = stack.enter_context(broker.scratch_folder())
            url = stack.enter_context(devstack.registry_alone(folder))
        _taken["registry"] = url
        yield url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The session's PostgreSQL, as a SQLAlchemy URL."""
    with broker.postgres() as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_url: str) -> str:
    """A database of this test's own in that PostgreSQL, without a table."""
    name = f"empty_{secrets.token_hex(4)}"
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def _admin(bootstrap_servers: str) -> AdminClient:
    return plain.admin_of(bootstrap_servers)


@pytest.fixture
def admin(_admin: AdminClient) -> AdminClient:
    """An administrator's client of the session's Kafka."""
    return _admin


@pytest.fixture
def settings(bootstrap_servers: str, _admin: AdminClient, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a prefix, a store and a database of this test's own; its topics are deleted at the end."""
    prefix = f"t{secrets.token_hex(4)}."
    yield Settings(
        bootstrap_servers=bootstrap_servers,
        prefix=prefix,
        store_url=str(tmp_path / "objects"),
        database_url=f"sqlite:///{tmp_path / 'headrace.db'}",
    )
    _delete_topics(_admin, prefix)


def _delete_topics(admin: AdminClient, prefix: str) -> None:
    own = [topic for topic in admin.list_topics(timeout=10).topics if topic.startswith(prefix)]
    for deleted in admin.delete_topics(own).values() if own else ():
        try:
            deleted.result(timeout=20)
        except KafkaException as error:  # the test itself has just deleted it
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise


@pytest.fixture
def make_topic(settings: Settings, admin: AdminClient) -> Callable[..., str]:
    """Creates `make_topic(name, partitions=4, **config)` under the test's prefix; gives its full name.

    Settings of the topic are written with underscores: `retention_ms=1000`.
    """

    def make(name: str, partitions: int = 4, **config: object) -> str:
        topic = settings.prefix + name
        written = {option.replace("_", "."): str(value) for option, value in config.items()}
        return plain.create_topic(admin, topic, partitions=partitions, config=written)

    return make
