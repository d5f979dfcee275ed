"""Where handlers run: four executors, one protocol, one contract suite."""

from consumers.runtime.executors.protocol import Completed, Executor, make_executor

__all__ = ["Completed", "Executor", "make_executor"]
