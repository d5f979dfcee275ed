"""What keeps a contestant from running."""


class UnavailableContestantError(Exception):
    """Raised when a contestant cannot run here; the table names it with this reason."""
