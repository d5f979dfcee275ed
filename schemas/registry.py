"""A schema registry with Confluent's REST interface, through confluent-kafka's own client."""

import json
import time
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from schemas.errors import (
    ConfigurationError,
    HeadraceError,
    IncompatibleSchemaError,
    MissingExtraError,
    RegistryUnavailableError,
    SchemaNotFoundError,
)
from schemas.schema_set import Schema
from schemas.settings import redact_url

COMPATIBILITY = "FULL_TRANSITIVE"
"""Backward and forward against every version: producers and consumers may be upgraded in any order (design.md)."""
TIMEOUT_S = 5.0
_FORGET_UNKNOWN_S = 1.0
"""An unknown id is asked for again after this long, so that a flood of such records is no flood of requests."""

T = TypeVar("T")


class Registry:
    """Schemas by id and by subject; every answer that cannot change is kept.

    Args:
        url: such as http://127.0.0.1:8081/apis/ccompat/v7; a user and password may stand in it.
        timeout_s: seconds that one request may take; a request that gets no answer is tried twice.

    Raises:
        MissingExtraError: if the registry client is not installed.
        ConfigurationError: if the URL is none.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.url = str(redact_url(url))
        self._api = _client_module()
        self._client = _client(self._api, url, timeout_s)
        self.close = weakref.finalize(self, self._client.close)
        """Closes the connections; at the latest when nobody holds the registry any more."""
        self._ids: dict[tuple[str, str], int] = {}
        self._schemas: dict[int, Schema] = {}
        self._unknown_until: dict[int, float] = {}

    def register(self, subject: str, schema: Schema) -> int:
        """The schema's id under a subject; it is added as the next version if the subject has it not.

        Raises:
            IncompatibleSchemaError: if the registry refuses it beside the versions it has.
            RegistryUnavailableError: if the registry does not answer.
        """
        known = self._ids.get((subject, schema.json))
        if known is not None:
            return known
        found = self._ask(lambda: self._client.register_schema(subject, self._avro(schema)), subject)
        self._ids[subject, schema.json] = int(found)
        return int(found)

    def schema(self, schema_id: int) -> Schema:
        """The schema of an id.

        Raises:
            SchemaNotFoundError: if the registry knows no such id.
            ConfigurationError: if it is no Avro schema, or one that is dangerous to decode with.
            RegistryUnavailableError: if the registry does not answer.
        """
        if schema_id in self._schemas:
            return self._schemas[schema_id]
        if time.monotonic() < self._unknown_until.get(schema_id, 0.0):
            raise _not_found(f"schema id {schema_id}")
        try:
            found = self._ask(lambda: self._client.get_schema(schema_id), f"schema id {schema_id}")
        except SchemaNotFoundError:
            self._unknown_until = {**self._unexpired(), schema_id: time.monotonic() + _FORGET_UNKNOWN_S}
            raise
        if found.schema_type != "AVRO":
            raise ConfigurationError([f"it is of type {found.schema_type}, not AVRO"])
        self._schemas[schema_id] = Schema.of(json.loads(found.schema_str))
        return self._schemas[schema_id]

    def lookup(self, subject: str, schema: Schema) -> int | None:
        """The id of a schema under a subject, or None where it is not registered; registers nothing."""
        try:
            answer = self._ask(lambda: self._client.lookup_schema(subject, self._avro(schema)), subject)
        except SchemaNotFoundError:
            return None
        return int(answer.schema_id)

    def versions(self, subject: str) -> list[int]:
        """The numbers of a subject's versions; empty for a subject that does not exist."""
        try:
            return [int(number) for number in self._ask(lambda: self._client.get_versions(subject), subject)]
        except SchemaNotFoundError:
            return []

    def compatibility(self, subject: str) -> str | None:
        """The subject's own compatibility level, or None where the registry's default holds and it says so."""
        try:
            return str(self._ask(lambda: self._client.get_compatibility(subject), subject))
        except SchemaNotFoundError:
            return None

    def set_compatibility(self, subject: str, level: str = COMPATIBILITY) -> None:
        """Set the subject's own compatibility level."""
        self._ask(lambda: self._client.set_compatibility(subject, level), subject)

    def _avro(self, schema: Schema) -> Any:
        return self._api.Schema(schema.json, "AVRO")

    def _unexpired(self) -> dict[int, float]:
        now = time.monotonic()
        return {schema_id: until for schema_id, until in self._unknown_until.items() if until > now}

    def _ask(self, request: Callable[[], T], what: str) -> T:
        """One request; its failures as our own errors."""
        try:
            return request()
        except self._api.SchemaRegistryError as error:
            raise self._translated(error, what) from error
        except Exception as error:
            # Beside its own error the client lets through whatever its HTTP library raises: no answer, in any case.
            reason = f"{type(error).__name__}: {error}"
            raise RegistryUnavailableError(
                f"the schema registry {self.url} does not answer ({reason}); check SCHEMA_REGISTRY_URL, or unset it"
            ) from error

    def _translated(self, error: Any, what: str) -> HeadraceError:
        if error.http_status_code == 404:
            return _not_found(what)
        if error.http_status_code in {409, 422}:
            return IncompatibleSchemaError(f"the schema registry refuses the schema of {what}: {error.error_message}")
        return RegistryUnavailableError(
            f"the schema registry {self.url} answers HTTP {error.http_status_code} for {what}: {error.error_message}"
        )


def _not_found(what: str) -> SchemaNotFoundError:
    return SchemaNotFoundError(f"the schema registry does not know {what}")


def _client_module() -> Any:
    try:
        import confluent_kafka.schema_registry as api
    except ImportError as error:
        raise MissingExtraError("registry", error.name or "confluent_kafka.schema_registry") from error
    return api


def _client(api: Any, url: str, timeout_s: float) -> Any:
    retries = {"max.retries": 1, "retries.wait.ms": 200, "retries.max.wait.ms": 500}
    try:
        return api.SchemaRegistryClient({"url": url, "timeout": timeout_s, **retries})
    except (ValueError, TypeError) as error:
        raise ConfigurationError([f"SCHEMA_REGISTRY_URL={redact_url(url)}: {error}"]) from error
