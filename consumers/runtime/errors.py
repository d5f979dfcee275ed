"""What ends an agent."""

from schemas.errors import HeadraceError


class AgentFailedError(HeadraceError):
    """Raised when an agent cannot go on: the worker ends visibly, and its supervisor starts another."""
