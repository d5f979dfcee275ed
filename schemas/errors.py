"""The base of every error that Headrace raises on purpose."""

from typing import ClassVar


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
