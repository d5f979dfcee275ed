"""Decoding ahead: values that came together are decoded together, before they are laned."""

import threading
from collections.abc import Sequence
from importlib import import_module

from consumers.runtime.agent import Agent, Executor
from consumers.runtime.handlers import event_taken_by, import_function
from consumers.runtime.work import Kit
from schemas.codec import Codec
from schemas.event import Event

_LEAST_VALUES = 25
"""Below this, one call costs more than each by itself: it has a fixed cost of about 0.1 ms."""

_MOST_MEAN_BYTES = 4096
"""Larger values, such as images, are decoded when their turn comes: their events would double the memory in hand."""


class Ahead:
    """Decodes the values of one polled partition in one call.

    What it leaves as None is decoded by the executor, record by record, and fails there with its reason.

    What it decodes with is loaded when there is something to decode, in a thread of its own, and until then nothing is decoded
    ahead. Seen when the agent's thread did it: no commit for 0.8 s on a busy machine, and a kill -9 repeated what it had handled.

    Args:
        codec: of the process.
        reader: the event that the handler takes.
    """

    def __init__(self, codec: Codec, reader: type[Event]) -> None:
        self._codec = codec
        self._reader = reader
        self._loading = threading.Thread(target=import_module, args=("schemas.typed",), name="decoder", daemon=True)

    @classmethod
    def of(cls, agent: Agent, kit: Kit) -> "Ahead | None":
        """None for an agent whose records are decoded elsewhere: in child processes, or as a batch.

        Raises:
            ConfigurationError: when the handler cannot be imported, or does not say which event it takes.
        """
        if agent.batch_records is not None or agent.executor is Executor.PROCESSES:
            return None
        return cls(kit.codec, event_taken_by(import_function(agent, agent.handler), agent))

    def events(self, values: Sequence[bytes | None]) -> Sequence[Event | None] | None:
        """Parallel to the values; None where decoding ahead does not pay, or cannot be done."""
        bodies = [value for value in values if value is not None]
        if len(bodies) < max(_LEAST_VALUES, len(values)) or sum(map(len, bodies)) > _MOST_MEAN_BYTES * len(bodies):
            return None
        if self._loading.ident is None:
            self._loading.start()
        if self._loading.is_alive():
            return None
        return self._codec.typed(bodies, self._reader)
