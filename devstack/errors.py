"""What can go wrong with a stack; each text says what, why and what to do instead."""

from pathlib import Path
from typing import ClassVar

ELSEWHERE = (
    "Or use a Kafka that you have: set KAFKA_BOOTSTRAP_SERVERS (and SCHEMA_REGISTRY_URL); "
    "or one in Docker: docker compose up --wait kafka"
)


class DevstackError(Exception):
    """Base of devstack's errors (a room of its own: it knows nothing of Headrace's).

    Attributes:
        exit_code: what the command line ends with: 1 failures, 2 usage, 3 unreachable, 4 timed out.
    """

    exit_code: ClassVar[int] = 1


class UnavailableError(DevstackError):
    """Raised when something that the stack needs cannot be had on this machine."""

    exit_code = 3

    def __init__(self, what: str, why: object, remedy: str) -> None:
        super().__init__(f"{what} cannot be had: {why}\n{remedy}\n{ELSEWHERE}")


class PortTakenError(DevstackError):
    """Raised when a port is in use by a process that is not this stack's."""

    exit_code = 2

    def __init__(self, port: int, *, use: str, option: str, holder: str | None) -> None:
        self.port = port
        super().__init__(
            f"port {port} on 127.0.0.1, wanted for {use}, is taken{f' by {holder}' if holder else ''}\n"
            f"Stop what listens there, or choose another: {option} N ({option} 0 takes any free one)"
        )


class StackDiffersError(DevstackError):
    """Raised when a stack of another shape runs, or lies, in the data directory."""

    exit_code = 2


class StartError(DevstackError):
    """Raised when a server ended or did not become ready in time; shows the end of its log."""

    exit_code = 4

    def __init__(self, name: str, why: str, log: Path) -> None:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:] if log.is_file() else []
        super().__init__(
            "\n".join([f"{name} did not start: {why}; the end of {log}:", *(f"  {line}" for line in tail)])
        )


class NotRunningError(DevstackError):
    """Raised when a running stack is needed and there is none in the data directory."""

    exit_code = 3

    def __init__(self, data: Path) -> None:
        super().__init__(f"no stack runs in {data}; start one with: python -m devstack up")
