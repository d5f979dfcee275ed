"""The outbox of an exact agent: what a transaction stored, published at least once."""

import threading
from functools import partial

import structlog

from consumers.runtime.outputs import Ticket, failure_of_delivery
from consumers.runtime.state import OutboxMessage, State
from consumers.runtime.stats import Stats
from producers.sender import Sender, SendError

log = structlog.get_logger("headrace.outbox")

_INTERVAL_S = 0.2
_BATCH = 500
_PAUSE_S = 1.0
_ACKNOWLEDGED_WITHIN_S = 60.0


class OutboxRelay:
    """A thread that publishes what is pending, waits for the broker, and takes it out of the outbox.

    Two workers over one database may publish a message twice; its event_id is the same, so that consumers can tell.

    Args:
        agent: the agent's name.
        state: of that agent.
        sender: shared by the agents of the process.
        stats: of the agent; its results are counted here.
    """

    def __init__(self, agent: str, state: State, sender: Sender, *, stats: Stats) -> None:
        self._stats = stats
        self._agent = agent
        self._state = state
        self._sender = sender
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"outbox-{agent}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, limit_s: float) -> None:
        """Publish what is pending now, then end; what is left stays in the outbox for the next worker."""
        self._stopping.set()
        self._thread.join(limit_s)

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL_S):
            self._pass()
        self._pass()

    def _pass(self) -> None:
        try:
            while messages := self._state.pending(_BATCH):
                published = self._publish(messages)
                self._state.published(published)
                self._stats.results += len(published)
                if len(published) < len(messages):
                    self._stopping.wait(_PAUSE_S)
                    return
        except Exception as error:  # whatever it is, the outbox keeps its messages, and the next pass tries again
            log.warning("outbox_waits", agent=self._agent, error=type(error).__name__, reason=str(error))
            self._stopping.wait(_PAUSE_S)

    def _publish(self, messages: list[OutboxMessage]) -> list[str]:
        """Send them all; the ids of those that the broker acknowledged."""
        answered = threading.Event()
        ticket = Ticket(None, settled=lambda _: answered.set())
        for index, message in enumerate(messages):
            ticket.expect(1)
            try:
                self._sender.send(
                    message.topic,
                    message.value,
                    key=message.key,
                    headers=message.headers,
                    on_delivery=partial(ticket.delivered, index, len(message.value)),
                )
            except SendError as error:
                ticket.refused(index, failure_of_delivery(error.name, str(error), len(message.value)))
        ticket.seal()
        if not answered.wait(_ACKNOWLEDGED_WITHIN_S):
            return []
        for index, failure in ticket.failures.items():
            topic, message_id = messages[index].topic, messages[index].id
            log.error("outbox_refused", agent=self._agent, topic=topic, id=message_id, reason=failure.message)
        return [message.id for index, message in enumerate(messages) if index not in ticket.failures]
