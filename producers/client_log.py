"""What librdkafka has to say, on the standard logger `headrace.kafka`.

The standard logger and not structlog: a microservice that only publishes has it anyway, configured as it likes.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

logger = logging.getLogger("headrace.kafka")

_SAME_AGAIN_S = 60.0
"""While a broker is away librdkafka repeats itself several times a second; once a minute says as much."""
_DETAIL = re.compile(r" \(after \d+ms in state .*\)$")


def without_detail(text: str) -> str:
    """An error of librdkafka's without the state of the connection that it was in."""
    return _DETAIL.sub("", text)


class ClientLog:
    """The log and the errors of one client: librdkafka's lines at DEBUG, its errors at WARNING, each kind once a minute.

    Args:
        client_id: names the client in each line.
        now_s: a monotonic clock, in seconds.
    """

    def __init__(self, client_id: str, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._client_id = client_id
        self._now_s = now_s
        self._said_at_s: dict[int, float] = {}
        self._unsaid: dict[int, int] = {}

    def log(self, _level: int, text: str, *values: object) -> None:
        """A line of librdkafka's; confluent-kafka calls this from `poll`, as it would a logging.Logger."""
        logger.debug("%s: %s", self._client_id, text % values if values else text)

    def error(self, error: Any) -> None:
        """An error that librdkafka heals by itself, most of them lost connections."""
        code, now_s = error.code(), self._now_s()
        if now_s - self._said_at_s.get(code, -_SAME_AGAIN_S) < _SAME_AGAIN_S:
            self._unsaid[code] = self._unsaid.get(code, 0) + 1
            return
        self._said_at_s[code] = now_s
        logger.warning("%s: %s: %s%s", self._client_id, error.name(), error.str(), self._repeated(code))

    def fatal(self, error: Any) -> None:
        """An error after which the client can do nothing more."""
        logger.error("%s: fatal: %s: %s", self._client_id, error.name(), error.str())

    def _repeated(self, code: int) -> str:
        unsaid = self._unsaid.pop(code, 0)
        return f" (and {unsaid} more of this kind since it was last said)" if unsaid else ""
