"""Decoding together: the values of one chunk in one call, where they are handled."""

import threading
from collections.abc import Sequence
from importlib import import_module

import structlog

from consumers.runtime.failure import MESSAGE_BYTES, bounded
from schemas.codec import Codec
from schemas.event import Event

log = structlog.get_logger("headrace.agent")

_LEAST_VALUES = 25
"""Below this, one call costs more than each by itself: it has a fixed cost of about 0.1 ms."""

_MOST_MEAN_BYTES = 4096
"""Larger values, such as images, are decoded when their turn comes: their events would double the memory in hand."""


class Together:
    """Decodes the values of one chunk in one call.

    What it leaves as None is decoded by itself, when its turn comes, and fails there with its reason; so are all of them when the
    one call fails, for want of memory or by a fault of ours.

    What it decodes with is loaded when there is something to decode, in a thread of its own, and until then each is decoded by
    itself. Seen when an agent's thread did it: no commit for 0.8 s on a busy machine, and a kill -9 repeated what it had handled.

    Args:
        codec: of the process.
        reader: the event that the handler takes.
    """

    def __init__(self, codec: Codec, reader: type[Event]) -> None:
        self._codec = codec
        self._reader = reader
        self._loading = threading.Thread(target=import_module, args=("schemas.typed",), name="decoder", daemon=True)
        self._lock = threading.Lock()

    def decode(self, values: Sequence[bytes | None]) -> Sequence[Event | None] | None:
        """Parallel to the values; None where decoding together does not pay, or cannot be done. May be called by any thread."""
        bodies = [value for value in values if value is not None]
        if len(bodies) < max(_LEAST_VALUES, len(values)) or sum(map(len, bodies)) > _MOST_MEAN_BYTES * len(bodies):
            return None
        if not self._is_loaded():
            return None
        try:
            return self._codec.typed(bodies, self._reader)
        except BaseException as error:  # polars' panics are such. Raised, it would hold back the good ones with the bad
            log.warning(
                "not_decoded_together",
                records=len(bodies),
                error=type(error).__name__,
                reason=bounded(str(error), MESSAGE_BYTES),
            )
            return None

    def _is_loaded(self) -> bool:
        """Whether it is loaded by now; the first who asks begins to load it."""
        with self._lock:
            if self._loading.ident is None:
                self._loading.start()
        return not self._loading.is_alive()
