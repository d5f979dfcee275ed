"""Frozen settings, read once at the edge: flag, then environment, then `.env`, then default."""

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import msgspec

from schemas.errors import ConfigurationError
from schemas.names import Names

GroupProtocol = Literal["consumer", "classic"]
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_SECRET_WORDS = ("password", "secret", "token", "key", "credential", "jaas")
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,60}")
_OF_MEMBERS = frozenset(
    {
        "group.id",
        "group.protocol",
        "group.instance.id",
        "group.remote.assignor",
        "max.poll.interval.ms",
        "session.timeout.ms",
        "heartbeat.interval.ms",
        "partition.assignment.strategy",
    }
)
_LINE = re.compile(
    r"""\s*(?:export\s+)?(?P<name>\w+)\s*=\s*(?:(?P<quote>["'])(?P<quoted>.*?)(?P=quote)|(?P<plain>.*?))\s*(?:\s#.*)?"""
)
"""A line of .env: NAME=value, quoted or not; a remark begins with a blank and #."""
_OWN_KAFKA_NAMES = ("KAFKA_BOOTSTRAP_SERVERS",)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the environment may say; `from_environment` reads it, tests construct it."""

    bootstrap_servers: str = "127.0.0.1:9092"
    registry_url: str | None = None
    prefix: str = ""
    kafka: dict[str, str] = {}
    catalogue: str = "consumers.agents"
    agents: tuple[str, ...] = ()
    store_url: str = "data/objects"
    database_url: str = "sqlite:///data/headrace.db"
    group_protocol: GroupProtocol = "consumer"
    group_session_timeout_ms: int = 6_000
    group_heartbeat_interval_ms: int = 500
    stop_limit_s: float = 25.0
    metrics_port: int | None = None
    log_level: str = "INFO"

    @property
    def names(self) -> Names:
        """Topic and group names under this prefix."""
        return _names(self.prefix)

    def client(self, **own: str | float | bool | None) -> dict[str, object]:
        """Properties of a librdkafka client: ours, then what KAFKA_* passes through; the latter wins."""
        return {"bootstrap.servers": self.bootstrap_servers, **own, **self.kafka}

    def outsider(self, **own: str | float | bool | None) -> dict[str, object]:
        """Properties of a consumer that joins no group: ours win, and what KAFKA_* says of membership is left out.

        librdkafka would refuse one that polls more often than it beats; and where and what it reads is nobody else's to choose.
        """
        passed = {name: value for name, value in self.kafka.items() if name not in _OF_MEMBERS}
        return {"bootstrap.servers": self.bootstrap_servers, **passed, **own}

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.shown().items())})"

    def shown(self) -> dict[str, object]:
        """The settings as they may be printed: secrets and passwords in URLs replaced by ***."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        fields["kafka"] = {name: "***" if is_secret(name) else value for name, value in self.kafka.items()}
        return {name: redact_url(value) if name.endswith("_url") else value for name, value in fields.items()}


def is_secret(name: str) -> bool:
    """Whether a property of this name is never to be printed."""
    return any(word in name.lower() for word in _SECRET_WORDS)


def redact_url(url: str | None) -> str | None:
    """The URL with the password of its user part replaced by ***."""
    if not url or "@" not in url or "://" not in url:
        return url
    scheme, rest = url.split("://", 1)
    user, host = rest.rsplit("@", 1)
    return f"{scheme}://{user.split(':', 1)[0]}:***@{host}" if ":" in user else url


def from_environment(environ: Mapping[str, str] | None = None, *, dotenv: Path | None = None) -> Settings:
    """Settings from the environment and `.env`.

    Args:
        environ: the environment; the process's own by default.
        dotenv: the file of defaults below the environment; `.env` in the working directory by default.

    Raises:
        ConfigurationError: naming every variable that is wrong, all at once.
    """
    values = {**_read_dotenv(dotenv or Path(".env")), **(os.environ if environ is None else environ)}
    return _Reader(values).settings()


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    found = (_LINE.fullmatch(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {line["name"]: line["quoted"] or line["plain"] or "" for line in found if line}


class _Reader:
    """Reads each variable and collects the problems."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name: value for name, value in values.items() if value != ""}
        self._problems: list[str] = []

    def settings(self) -> Settings:
        """All of it, or every problem at once."""
        default = Settings()
        settings = Settings(
            bootstrap_servers=self._text("KAFKA_BOOTSTRAP_SERVERS", default.bootstrap_servers),
            registry_url=self._http_url("SCHEMA_REGISTRY_URL"),
            prefix=self._prefix(default.prefix),
            kafka=self._passed_through(),
            catalogue=self._text("HEADRACE_CATALOGUE", default.catalogue),
            agents=self._list("HEADRACE_AGENTS"),
            store_url=self._text("HEADRACE_STORE_URL", default.store_url),
            database_url=self._text("HEADRACE_DATABASE_URL", default.database_url),
            group_protocol=self._protocol(default.group_protocol),
            group_session_timeout_ms=self._whole(
                "HEADRACE_GROUP_SESSION_TIMEOUT_MS", default.group_session_timeout_ms, least=100
            ),
            group_heartbeat_interval_ms=self._whole(
                "HEADRACE_GROUP_HEARTBEAT_INTERVAL_MS", default.group_heartbeat_interval_ms, least=50
            ),
            stop_limit_s=float(self._whole("HEADRACE_STOP_LIMIT_S", int(default.stop_limit_s), least=1)),
            metrics_port=self._port("HEADRACE_METRICS_PORT"),
            log_level=self._one_of("LOG_LEVEL", default.log_level, _LOG_LEVELS),
        )
        self._check_group(settings)
        if self._problems:
            raise ConfigurationError(self._problems)
        return settings

    def _text(self, name: str, default: str) -> str:
        return self._values.get(name, default)

    def _http_url(self, name: str) -> str | None:
        url = self._values.get(name)
        if url and not url.startswith(("http://", "https://")):
            self._problems.append(f"{name}={redact_url(url)}: a URL that begins with http:// or https:// is needed")
        return url

    def _prefix(self, default: str) -> str:
        prefix = self._text("HEADRACE_PREFIX", default)
        if not _PREFIX.fullmatch(prefix):
            self._problems.append(
                f"HEADRACE_PREFIX={prefix}: up to 60 letters, digits, dots, hyphens and underscores are needed"
            )
        return prefix

    def _check_group(self, settings: Settings) -> None:
        beat, session = settings.group_heartbeat_interval_ms, settings.group_session_timeout_ms
        if beat >= session:
            self._problems.append(
                f"HEADRACE_GROUP_HEARTBEAT_INTERVAL_MS={beat}: less than the session timeout ({session}) is needed"
            )

    def _list(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self._values.get(name, "").split(",") if part.strip())

    def _whole(self, name: str, default: int, *, least: int) -> int:
        text = self._values.get(name)
        if text is None:
            return default
        if not text.isdecimal() or int(text) < least:
            self._problems.append(f"{name}={text}: a whole number of at least {least} is needed")
            return default
        return int(text)

    def _port(self, name: str) -> int | None:
        port = self._whole(name, 0, least=1)
        if port > 65_535:
            self._problems.append(f"{name}={port}: a port is at most 65535")
        return port or None

    def _one_of(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self._values.get(name, default)
        found = {choice.lower(): choice for choice in choices}.get(value.lower())
        if found is None:
            self._problems.append(f"{name}={value}: one of {', '.join(choices)} is needed")
        return found or default

    def _protocol(self, default: GroupProtocol) -> GroupProtocol:
        value = self._one_of("HEADRACE_GROUP_PROTOCOL", default, get_args(GroupProtocol))
        return "classic" if value == "classic" else "consumer"

    def _passed_through(self) -> dict[str, str]:
        return {
            name.removeprefix("KAFKA_").replace("_", ".").lower(): value
            for name, value in self._values.items()
            if name.startswith("KAFKA_") and name not in _OWN_KAFKA_NAMES
        }


@lru_cache(maxsize=16)
def _names(prefix: str) -> Names:
    """Asked for at every record that a handler wants the context of."""
    return Names(prefix)
