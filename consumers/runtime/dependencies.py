"""What records say of the dependencies of their agent: the circuits hear of it, and the operator of the circuits."""

import time
from collections.abc import Sequence

import structlog

from consumers.runtime.agent import Agent
from consumers.runtime.circuit import Circuits, Place
from consumers.runtime.record import Failed, Record

log = structlog.get_logger("headrace.agent")


class Dependencies:
    """Tells the circuits what passes and what fails; the runner's thread alone calls it.

    Args:
        agent: from the catalogue.
        circuits: of the agent.
    """

    def __init__(self, agent: Agent, circuits: Circuits) -> None:
        self._agent = agent
        self._circuits = circuits

    def passed(self, handled: Sequence[Record]) -> None:
        """Note records that were handled: where one was a probe, its circuit closes."""
        if not handled:
            return
        opened = self._circuits.open
        self._circuits.passed(lambda: map(_place_of, handled), len(handled))
        for dependency, circuit in opened.items():
            after_s = round(time.monotonic() - (circuit.opened_s or 0.0), 1)
            facts = {"dependency": dependency, "after_s": after_s, "probes": circuit.probes}
            log.info("circuit_closed", agent=self._agent.name, **facts)

    def unanswered(self) -> None:
        """Note that records came back unhandled: a probe among them says nothing."""
        self._circuits.unanswered()

    def failed(self, record: Record, failure: Failed) -> bool:
        """Note a failure; whether one for a dependency is the record's own all the same."""
        if not failure.dependency:
            self._circuits.forget(_place_of(record))
            return False
        opened = self._circuits.open
        alone = self._circuits.failed(failure.dependency, _place_of(record), time.monotonic())
        if failure.dependency in self._circuits.open.keys() - opened.keys():
            facts = {"dependency": failure.dependency, "reason": failure.message}
            meaning = "the agent waits, tries a record now and then, and goes on by itself; no attempt is counted"
            log.warning("circuit_opened", agent=self._agent.name, **facts, meaning=meaning)
        return alone


def _place_of(record: Record) -> Place:
    return record.topic, record.partition, record.offset
