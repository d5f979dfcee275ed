"""The base of every error that Headrace raises on purpose, and the errors of what travels."""

from typing import ClassVar

from schemas.origin import Origin


class HeadraceError(Exception):
    """Base of Headrace's own errors: its text says what, why and what to try next.

    Attributes:
        exit_code: what the command line ends with: 1 failures, 2 usage or configuration, 3 unreachable, 4 timed out.
    """

    exit_code: ClassVar[int] = 1


class ConfigurationError(HeadraceError):
    """Raised when settings or the catalogue are wrong; lists every problem at once."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class MissingExtraError(HeadraceError):
    """Raised when a feature's optional dependency is not installed."""

    exit_code = 2

    def __init__(self, extra: str, module: str) -> None:
        super().__init__(f"{module} is not installed; install it with: pip install 'headrace[{extra}]'")


class UnreachableError(HeadraceError):
    """Raised when the broker or the registry does not answer."""

    exit_code = 3


class TimedOutError(HeadraceError):
    """Raised when something answers but did not finish in the time it was given."""

    exit_code = 4


class SchemaNotFoundError(HeadraceError):
    """Raised when no .avsc file defines a record of this name."""

    exit_code = 2


class InvalidEventError(HeadraceError):
    """Raised when an event does not fit its schema; the text names the field.

    Attributes:
        field: the path of the field, such as "variants[0].width"; empty when it is the event as a whole.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        self.field = field
        super().__init__(message)


class DecodeError(HeadraceError):
    """Raised when bytes are no record of the schema they name; no retry can heal it.

    Attributes:
        raw: the whole value, as it was on the wire.
        reason: what is wrong with it.
        topic: the topic's name in the catalogue, None where it is unknown.
        partition: None where it is unknown.
        offset: None where it is unknown.
    """

    def __init__(self, raw: bytes, reason: str, *, origin: Origin | None = None) -> None:
        self.raw = raw
        self.reason = reason
        self.topic = origin.topic if origin else None
        self.partition = origin.partition if origin else None
        self.offset = origin.offset if origin else None
        place = f"{origin.topic} [{origin.partition}] @ {origin.offset}: " if origin else ""
        super().__init__(f"{place}cannot decode {len(raw)} bytes: {reason}")


class SchemaIdUnknownError(DecodeError):
    """Raised when the registry does not know the schema id that a value begins with.

    Attributes:
        schema_id: the id.
    """

    def __init__(self, raw: bytes, schema_id: int, *, origin: Origin | None = None) -> None:
        self.schema_id = schema_id
        super().__init__(raw, f"the registry knows no schema of id {schema_id}", origin=origin)


class RegistryUnavailableError(UnreachableError):
    """Raised when the registry is needed and does not answer, or none is configured."""


class IncompatibleSchemaError(HeadraceError):
    """Raised when a schema cannot stand beside its former versions; the text says which and why."""


class EventTooLargeError(InvalidEventError):
    """Raised when an event's bytes are more than any consumer would decode."""


class NotColumnarError(HeadraceError):
    """Raised when a schema's records cannot be columns of a frame, such as those with a union of several types."""
