"""What integration tests share."""

from tests.support.workers import start_worker

__all__ = ["start_worker"]
