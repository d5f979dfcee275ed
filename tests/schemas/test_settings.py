from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigurationError
from schemas.settings import Settings, from_environment, is_secret, redact_url


def _read(environ: dict[str, str], tmp_path: Path, dotenv: str = "") -> Settings:
    path = tmp_path / ".env"
    path.write_text(dotenv, encoding="utf-8")
    return from_environment(environ, dotenv=path)


def test_nothing_set_gives_the_defaults(tmp_path: Path) -> None:
    assert _read({}, tmp_path) == Settings()


def test_the_environment_goes_before_the_dotenv_file_and_that_before_the_default(tmp_path: Path) -> None:
    settings = _read({"HEADRACE_PREFIX": "env."}, tmp_path, "HEADRACE_PREFIX=file.\nLOG_LEVEL=debug\n")
    assert (settings.prefix, settings.log_level, settings.bootstrap_servers) == ("env.", "DEBUG", "127.0.0.1:9092")


def test_the_dotenv_file_may_have_comments_quotes_and_exports(tmp_path: Path) -> None:
    dotenv = """
        # HEADRACE_PREFIX=commented.
        export HEADRACE_PREFIX = "quoted."
        HEADRACE_AGENTS='images, text'
        HEADRACE_STORE_URL=s3://bucket/a#b
        SCHEMA_REGISTRY_URL=http://127.0.0.1:8081/x?a=b   # a remark
        HEADRACE_CATALOGUE="shop.agents"  # another
        no equals sign
    """
    settings = _read({}, tmp_path, dotenv)
    assert settings.prefix == "quoted."
    assert settings.agents == ("images", "text")
    assert settings.store_url == "s3://bucket/a#b"
    assert settings.registry_url == "http://127.0.0.1:8081/x?a=b"
    assert settings.catalogue == "shop.agents"


def test_an_empty_variable_switches_back_to_the_default(tmp_path: Path) -> None:
    assert _read({"HEADRACE_PREFIX": "", "LOG_LEVEL": ""}, tmp_path, "HEADRACE_PREFIX=file.") == Settings()


def test_every_variable_is_read(tmp_path: Path) -> None:
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": "k:1", "SCHEMA_REGISTRY_URL": "http://r", "HEADRACE_PREFIX": "p.", "HEADRACE_CATALOGUE": "c",
        "HEADRACE_AGENTS": "a,b", "HEADRACE_STORE_URL": "s", "HEADRACE_DATABASE_URL": "d", "HEADRACE_GROUP_PROTOCOL": "CLASSIC",
        "HEADRACE_GROUP_SESSION_TIMEOUT_MS": "3000", "HEADRACE_GROUP_HEARTBEAT_INTERVAL_MS": "300", "HEADRACE_STOP_LIMIT_S": "9",
        "HEADRACE_METRICS_PORT": "9100", "LOG_LEVEL": "warning",
    }  # fmt: skip
    assert _read(environ, tmp_path) == Settings(
        bootstrap_servers="k:1", registry_url="http://r", prefix="p.", catalogue="c", agents=("a", "b"), store_url="s",
        database_url="d", group_protocol="classic", group_session_timeout_ms=3000, group_heartbeat_interval_ms=300,
        stop_limit_s=9.0, metrics_port=9100, log_level="WARNING",
    )  # fmt: skip


def test_every_problem_is_said_at_once_by_the_variables_name(tmp_path: Path) -> None:
    environ = {
        "HEADRACE_GROUP_PROTOCOL": "raft", "HEADRACE_GROUP_SESSION_TIMEOUT_MS": "soon", "HEADRACE_STOP_LIMIT_S": "0",
        "HEADRACE_METRICS_PORT": "70000", "LOG_LEVEL": "loud", "HEADRACE_PREFIX": "team a/", "SCHEMA_REGISTRY_URL": "registry",
    }  # fmt: skip
    with pytest.raises(ConfigurationError) as caught:
        _read(environ, tmp_path)
    assert len(caught.value.problems) == len(environ)
    assert all(any(problem.startswith(f"{name}=") for problem in caught.value.problems) for name in environ)


def test_a_heartbeat_as_long_as_the_session_is_refused(tmp_path: Path) -> None:
    environ = {"HEADRACE_GROUP_SESSION_TIMEOUT_MS": "1000", "HEADRACE_GROUP_HEARTBEAT_INTERVAL_MS": "1000"}
    with pytest.raises(ConfigurationError, match="HEADRACE_GROUP_HEARTBEAT_INTERVAL_MS=1000"):
        _read(environ, tmp_path)


def test_any_librdkafka_property_passes_through_and_wins(tmp_path: Path) -> None:
    settings = _read(
        {"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_LINGER_MS": "7", "KAFKA_BOOTSTRAP_SERVERS": "k:1"}, tmp_path
    )
    assert settings.kafka == {"sasl.mechanism": "PLAIN", "linger.ms": "7"}
    client = settings.client(**{"linger.ms": 5, "acks": "all"})
    assert client == {"bootstrap.servers": "k:1", "acks": "all", "sasl.mechanism": "PLAIN", "linger.ms": "7"}


def test_secrets_are_never_printed(tmp_path: Path) -> None:
    environ = {
        "KAFKA_SASL_PASSWORD": "hunter2", "KAFKA_SSL_KEY_PEM": "hunter2", "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET": "hunter2",
        "HEADRACE_DATABASE_URL": "postgresql://me:hunter2@db/x", "SCHEMA_REGISTRY_URL": "http://key:hunter2@r",
        "HEADRACE_STORE_URL": "s3://a:hunter2@b/c", "KAFKA_SASL_USERNAME": "me",
    }  # fmt: skip
    settings = _read(environ, tmp_path)
    for text in (repr(settings), str(settings), str(settings.shown())):
        assert "hunter2" not in text
        assert "'sasl.username': 'me'" in text
    assert settings.kafka["sasl.password"] == "hunter2"


def test_a_secret_in_a_wrong_value_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _read({"SCHEMA_REGISTRY_URL": "ftp://me:hunter2@r"}, tmp_path)
    assert "hunter2" not in str(caught.value)


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Settings().prefix = "x"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:pw@host:1/x", "http://me:***@host:1/x"),
        ("http://me:p@w:d@host", "http://me:***@host"),
        ("sqlite:///data/x.db", "sqlite:///data/x.db"),
        ("http://token@host", "http://token@host"),
        (None, None),
    ],
)
def test_a_url_is_shown_without_its_password(url: str | None, shown: str | None) -> None:
    assert redact_url(url) == shown


@given(st.text(alphabet="abcXYZ019@:/%", min_size=1, max_size=20))
def test_no_password_survives_in_a_shown_url(password: str) -> None:
    secret = f"s3cr3t{password}s3cr3t"
    assert "s3cr3t" not in str(redact_url(f"postgresql://me:{secret}@host/db"))


def test_what_counts_as_a_secret() -> None:
    assert all(map(is_secret, ("sasl.password", "ssl.key.pem", "ssl.keystore.location", "sasl.jaas.config")))
    assert not any(map(is_secret, ("sasl.username", "security.protocol", "linger.ms")))


def test_a_consumer_that_joins_no_group_is_spared_what_is_said_of_membership() -> None:
    settings = Settings(
        kafka={"max.poll.interval.ms": "6000", "security.protocol": "ssl", "group.protocol": "consumer"}
    )
    found = settings.outsider(**{"group.id": "images"})
    assert found == {"bootstrap.servers": "127.0.0.1:9092", "group.id": "images", "security.protocol": "ssl"}


def test_where_a_consumer_that_joins_no_group_begins_is_not_the_environment_s_to_say() -> None:
    settings = Settings(kafka={"auto.offset.reset": "latest", "fetch.min.bytes": "1"})
    found = settings.outsider(**{"auto.offset.reset": "earliest"})
    assert found["auto.offset.reset"] == "earliest"
    assert found["fetch.min.bytes"] == "1"
