"""What keeps a contestant from a figure."""


class BenchError(Exception):
    """Base of what this room raises."""


class UnavailableContestantError(BenchError):
    """Raised when a contestant cannot run here; the table names it with this reason."""


class WrongCountsError(BenchError):
    """Raised when a run did not handle, or commit, what it should have: its time is no figure."""
