"""Several worker processes on one topic, some of them killed."""

import threading
import time
from collections import defaultdict

import msgspec
import pytest

from tests.support.flows import Flow, eventually
from tests.support.shop.records import OrderPlaced

EVENTS = 50_000
KEYS = 1_000


class Ledger:
    """What was really handled: (partition, offset, key, sequence), in the order of handling."""

    def __init__(self, path):
        self.path = path
        path.touch()

    def lines(self):
        rows = (line.split() for line in self.path.read_text().splitlines())
        return [(int(row[0]), int(row[1]), row[2], int(row[3])) for row in rows if len(row) == 5]

    def offsets(self):
        handled = defaultdict(set)
        for partition, offset, _, _ in self.lines():
            handled[partition].add(offset)
        return handled


class Overruns:
    """Samples the group's commits all the while: no committed offset may be ahead of the work."""

    def __init__(self, flow, ledger):
        self._flow, self._ledger = flow, ledger
        self.found, self.samples = [], 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join(30)
        self._sample()

    def _run(self):
        while not self._stop.wait(0.25):
            self._sample()

    def _sample(self):
        committed = self._flow.committed("ledger")  # first the commit, then the work: the work can only have grown
        handled = self._ledger.offsets()
        self.samples += 1
        for partition, offset in committed.items():
            missing = set(range(offset)) - handled[partition] if offset > 0 else set()
            self.found += [(partition, offset, min(missing))] if missing else []


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_three_workers_lose_nothing_when_one_is_killed_and_one_is_stopped(settings, make_topic, start_worker, tmp_path):
    settings = msgspec.structs.replace(settings, group_session_timeout_ms=3000)
    flow = Flow(settings, make_topic, partitions=12)
    flow.make_topic("ledger.dlq", partitions=1)
    ledger = Ledger(tmp_path / "ledger")
    start = {"SHOP_LEDGER": ledger.path}
    workers = [start_worker(flow.settings, "--agents", "ledger", **start) for _ in range(3)]
    for worker in workers:
        worker.await_line("ready")

    def publish():
        for number in range(EVENTS):
            event = OrderPlaced(order_id=f"k{number % KEYS}", sequence=number // KEYS)
            flow.sender.send(flow.placed, flow.kit.codec.encode(event, topic=flow.placed), key=event.order_id.encode())
            if number % 5000 == 0:
                time.sleep(0.5)

    publishing = threading.Thread(target=publish)
    with Overruns(flow, ledger) as overruns:
        publishing.start()
        eventually(lambda: len(ledger.lines()) > 5_000)
        workers[0].kill()
        eventually(lambda: len(ledger.lines()) > 20_000, limit_s=60)
        assert workers[1].terminate() == 0
        publishing.join(120)
        flow.sender.flush(30)
        eventually(lambda: flow.lag("ledger") == 0, limit_s=120, every_s=0.5)
    assert workers[2].terminate() == 0
    handled = {(partition, offset) for partition, offset, _, _ in ledger.lines()}
    assert len(handled) == EVENTS
    assert overruns.samples > 5
    assert overruns.found == []
    assert _out_of_order(ledger) == []
    flow.sender.close()


def _out_of_order(ledger):
    """Keys whose first handlings were not in sequence."""
    first = defaultdict(list)
    seen = set()
    for _, _, key, sequence in ledger.lines():
        if (key, sequence) not in seen:
            seen.add((key, sequence))
            first[key].append(sequence)
    return [key for key, sequences in first.items() if sequences != sorted(sequences)]
