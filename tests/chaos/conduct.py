"""One run, from the first worker to the last commit."""

import time
from contextlib import closing
from random import Random
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from consumers.runtime.broker_view import BrokerView
from tests.chaos.agents import UNORDERED
from tests.chaos.faults import FAULTS
from tests.chaos.gather import waiting
from tests.chaos.say import say
from tests.chaos.schedule import gates, schedule
from tests.chaos.stage import Stage

_AHEAD_S = 1
"""The load waits so far behind a strike that is late: at the strike itself it must be running."""
_STRIKE_LIMIT_S = 180.0


def conduct(stage: Stage) -> bool:
    """Start, load and attack, wait for the last record, end; whether all was done in time.

    1. The workers, then the sampler and the load.
    2. Each strike when its record is acknowledged; the load never runs far ahead of the next.
    3. The rest of the load, and the last commit.
    4. The workers leave.
    """
    options = stage.options
    for _ in range(options.workers):
        stage.crew.start()
    stage.await_ready(options.workers)
    say(f"{options.workers} workers are ready ({', '.join(options.agents)}); seed {options.seed}")
    stage.sampler.start()
    if stage.witness is not None:
        stage.witness.start()
    stage.producer.start()
    strikes = schedule(options)
    allowed = gates(strikes, options.messages, ahead=_AHEAD_S * (options.rate or options.messages))
    stage.producer.allow(allowed[0])
    for number, strike in enumerate(strikes, 1):
        if not stage.wait(lambda at=strike.at: _reached(stage, at), _STRIKE_LIMIT_S):  # type: ignore[misc]
            say(f"record {strike.at} is not acknowledged after {_STRIKE_LIMIT_S:.0f} s: the strikes end here")
            stage.unstruck = len(strikes) - number + 1
            break
        say(f"{strike.fault} ({number} of {len(strikes)}) at record {strike.at}")
        stage.producer.allow(allowed[number])
        struck = FAULTS[strike.fault].strike
        if struck is not None:
            struck(stage, Random(strike.draw))
    stage.producer.allow(options.messages)
    settled = _settle(stage)
    stage.sampler.sample()
    stage.crew.dismiss()
    stage.sampler.stop()
    stage.sampler.sample()
    return settled


def _reached(stage: Stage, number: int) -> bool:
    return stage.producer.acknowledged >= number or stage.producer.done


def _settle(stage: Stage) -> bool:
    """Wait until everything is sent and every group has committed to the end of the log."""
    options = stage.options
    send_s = options.messages / options.rate if options.rate else 0.0
    sent = stage.wait(lambda: stage.producer.done, 60.0 + 2 * send_s)
    if stage.producer.failure is not None:
        raise stage.producer.failure
    said_s, began_s = 0.0, time.monotonic()

    def committed() -> bool:
        nonlocal said_s
        lag = _lag(stage, view)
        if time.monotonic() - said_s > 5.0:
            said_s = time.monotonic()
            say(f"waiting for the last commits: {'no answer' if lag is None else _told(lag)}")
        return lag == {}

    with closing(BrokerView(stage.direct)) as view:
        settled = stage.wait(committed, options.patience_s)
    say(f"{'all is committed' if settled else 'NOT all is committed'} after {time.monotonic() - began_s:.1f} s")
    return sent and settled


def _told(lag: dict[str, int]) -> str:
    """The whole, and where the most is missing."""
    worst = sorted(lag, key=lambda place: -lag[place])[:4]
    return f"{sum(lag.values())} to go ({', '.join(f'{place}: {lag[place]}' for place in worst)})"


def _lag(stage: Stage, view: BrokerView) -> dict[str, int] | None:
    """How many offsets are not committed, by "agent partition"; None while the broker is away."""
    try:
        ends = _ends(stage)
        lag = {}
        for agent in UNORDERED & {*stage.options.agents}:
            lag |= waiting(stage, view, agent)
    except (KafkaException, TimeoutError):
        return None
    for agent in stage.options.agents:
        known = stage.sampler.offsets(stage.direct.names.group(agent))
        lag |= {
            f"{agent} {place}": end - known.get(place, 0) for place, end in ends.items() if end > known.get(place, 0)
        }
    return lag


def _ends(stage: Stage) -> dict[int, int]:
    partitions = stage.admin.list_topics(stage.topic, timeout=5).topics[stage.topic].partitions
    wanted: dict[Any, Any] = {TopicPartition(stage.topic, number): OffsetSpec.latest() for number in partitions}
    futures = stage.admin.list_offsets(wanted, request_timeout=5.0)
    return {place.partition: future.result(8.0).offset for place, future in futures.items()}
