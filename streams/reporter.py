"""A thread that publishes this worker's report, and serves its metrics where that is wanted."""

import threading
import time

import msgspec
import structlog

from consumers.runtime.runner import Runner
from producers.sender import Sender, SendError
from schemas.names import WORKERS_TOPIC
from schemas.settings import Settings
from streams.report import report_of, worker_name

log = structlog.get_logger("headrace.worker")

_INTERVAL_S = 2.0


class Reporter:
    """Says every two seconds how the agents are; a tombstone says that the worker ended well.

    Args:
        settings: the names, and the metrics' port.
        runners: the agents.
        sender: shared by the agents of the process.
        publishing: whether the topic is there: librdkafka would hold a report for a missing one for 30 s, and the stop with it.
    """

    def __init__(self, settings: Settings, runners: list[Runner], sender: Sender, *, publishing: bool) -> None:
        self._topic = settings.names.topic(WORKERS_TOPIC)
        self._runners = runners
        self._sender = sender
        self._publishing = publishing
        self._metrics_port = settings.metrics_port
        self._started_ms = time.time_ns() // 1_000_000
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        """Start reporting, and the metrics' port where there is one."""
        if self._metrics_port is not None:
            from streams.metrics import serve

            serve(self._runners, self._metrics_port)
        if self._publishing:
            self._thread.start()
        else:
            meaning, remedy = "headrace status will not know this worker", "create it with: headrace init"
            log.warning("no_reports", missing_topic=self._topic, meaning=meaning, remedy=remedy)

    def stop(self) -> None:
        """End the reports, with a tombstone."""
        if not self._publishing:
            return
        self._stopping.set()
        self._thread.join(5.0)
        self._send(None)

    def _run(self) -> None:
        while True:
            self._send(msgspec.json.encode(report_of(self._runners, started_ms=self._started_ms)))
            if self._stopping.wait(_INTERVAL_S):
                return

    def _send(self, value: bytes | None) -> None:
        try:
            self._sender.send(self._topic, value, key=worker_name().encode())
        except SendError as error:
            log.warning("report_refused", reason=str(error))
