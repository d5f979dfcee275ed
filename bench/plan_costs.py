"""What one record costs: as `bench/costs.json` says, its rates from `bench/results.json` where `make bench` has written one."""

import json
from pathlib import Path

import msgspec

MEASURED = Path(__file__).with_name("costs.json")
RESULTS = Path(__file__).with_name("results.json")
_ROWS = {"analytics": "analytics", "images": "images-one-worker", "publish": "publish"}


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """Work on one record.

    Attributes:
        events_per_s: of one process; of the images agent, one after another.
        cpu_us: CPU time of one, in microseconds.
    """

    events_per_s: float
    cpu_us: float


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction of the analytics agent in PostgreSQL, as `python -m bench.postgres` measures it.

    Attributes:
        seconds: handler and commit together.
        server_cpu_s: CPU time of the server.
        wal_bytes: of its log.
        rows: written.
        round_trips: between worker and server.
    """

    seconds: float
    server_cpu_s: float
    wal_bytes: float
    rows: float
    round_trips: float


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Measured costs.

    Attributes:
        analytics: the agent's whole way, of one process.
        images: one after another.
        publish: typed record to acknowledged, of one process.
        small: a transaction of 100 records.
        full: one of 60,000, the agent's `batch_records`.
        stored_share: bytes of an event in the broker's log, over those of its value.
        image_result_bytes: of a result of the images agent: its Avro value.
        measured: with which commands, where and when.
    """

    analytics: Work
    images: Work
    publish: Work
    small: Transaction
    full: Transaction
    stored_share: float
    image_result_bytes: float
    measured: dict[str, str]


def load(measured: Path = MEASURED, results: Path = RESULTS) -> Costs:
    """The costs.

    Args:
        measured: a file of `Costs`.
        results: of the bench; its medians replace the rates, if it is there.
    """
    costs = msgspec.json.decode(measured.read_bytes(), type=Costs)
    if not results.exists():
        return costs
    rows = {row["name"]: row for row in json.loads(results.read_bytes())}
    newer = {
        field: msgspec.structs.replace(getattr(costs, field), events_per_s=rows[name]["events_per_s"]["median"])
        for field, name in _ROWS.items()
        if name in rows and rows[name]["events_per_s"]
    }
    note = (
        {**costs.measured, "rates": f"bench/results.json, {next(iter(rows.values()))['date']}"}
        if newer
        else costs.measured
    )
    return msgspec.structs.replace(costs, **newer, measured=note)
