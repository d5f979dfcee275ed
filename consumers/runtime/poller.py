"""Taking records: what the broker has, and with nothing there, waiting for whatever comes first."""

import time
from typing import Any

from confluent_kafka import KafkaException

from consumers.runtime.flow import Flow
from consumers.runtime.inbox import Inbox
from consumers.runtime.intake import Intake
from consumers.runtime.membership import Membership
from consumers.runtime.subscription import Subscription

_IDLE_POLL_S = 0.1
_BRIEFEST_WAIT_S = 0.0005
_LONGEST_WAIT_S = 0.01
_ROOM_WAIT_S = 0.002
_HELD_BACK_WAIT_S = 0.05


class Poller:
    """Polls the consumer; the runner's thread alone calls it, and it alone polls.

    Args:
        subscription: has the consumer.
        membership: what is owned.
        flow: says how much may be taken.
        intake: queues what comes.
        inbox: brings what others have done meanwhile.
    """

    def __init__(
        self, subscription: Subscription, membership: Membership, flow: Flow, intake: Intake, inbox: Inbox
    ) -> None:
        self._subscription = subscription
        self._membership = membership
        self._flow = flow
        self._intake = intake
        self._inbox = inbox
        self._happened_s = time.monotonic()

    def take(self) -> None:
        """What the broker has; with nothing there, wait for whatever comes first: a record, or work that is done."""
        owned, now_s = self._membership.assignments.values(), time.monotonic()
        waits_for_mark = any(assignment.waits_for_mark(now_s) for assignment in owned)
        if self._flow.holds_back(now_s, listens=waits_for_mark):
            self._inbox.wait(_HELD_BACK_WAIT_S)
            return
        consumer = self._subscription.consumer
        busy = waits_for_mark or any(assignment.turns_on_others for assignment in owned)
        message = consumer.poll(0 if busy or not self._inbox.empty else self._idle_poll_s)
        if message is not None or not busy:
            self._happened_s = time.monotonic()
        if message is None:
            if busy:
                self._listen()
            return
        place: Any = (message.topic(), message.partition())
        owner = self._membership.assignments.get(place)
        room = self._flow.room
        messages = consumer.consume(room, 0) if room > 0 else []
        if self._membership.assignments.get(place) is owner:  # else a callback within consume() has started it anew
            messages = [message, *messages]
        self._flow.took(len(messages))
        try:
            out_of_log = self._intake.accept(messages)
        except KafkaException as error:
            self._subscription.fall_back(error)
            return
        if out_of_log:
            self._membership.misfit(out_of_log)
        self._flow.pause_backed_up()
        if room == 0:
            self._inbox.wait(_ROOM_WAIT_S)

    @property
    def _idle_poll_s(self) -> float:
        """How long to wait for a record with nothing else to do; not for long where acknowledgements are on their way."""
        unacknowledged = any(assignment.unacknowledged for assignment in self._membership.assignments.values())
        return _LONGEST_WAIT_S if unacknowledged else _IDLE_POLL_S

    def _listen(self) -> None:
        """Wait for work that is done, but no longer than nothing has happened: what only a poll brings waits meanwhile.

        So a record that comes soon after something else is taken soon, and a handler of an hour costs a hundred looks a second.
        """
        quiet_s = time.monotonic() - self._happened_s
        if self._inbox.wait(min(_LONGEST_WAIT_S, max(_BRIEFEST_WAIT_S, quiet_s))):
            self._happened_s = time.monotonic()
