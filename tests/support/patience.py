"""Look-ups of tests, tried again while the broker, or its coordinator, is away."""

import time

from confluent_kafka import KafkaException

from consumers.runtime.broker_view import is_final

_PATIENCE_S = 60.0
_PAUSE_S = 0.5


def patiently(look_up):
    """The look-up's answer; the last error when the patience is over."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return look_up()
        except (KafkaException, TimeoutError) as error:
            if time.monotonic() > until_s or is_final(error):
                raise
            time.sleep(_PAUSE_S)
