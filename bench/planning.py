"""From targets and measured costs to a plan of a cluster: pure, and monotonic: more load never needs less."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.plan_costs import Costs

MB, GB, TB = 1e6, 1e9, 1e12
_DAY_S = 86_400
_MINUTES_A_DAY = 1_440
REPLICAS_PER_BROKER = 4_000
"""The recommendation that KIP-578 repeats; Kafka does not enforce it."""
REPLICAS_PER_CLUSTER = 200_000
"""The same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the cluster is for, and what it is made of.

    Attributes:
        events_per_s: activity events.
        event_bytes: of one event's value, before compression.
        images_per_s: uploaded images.
        image_bytes: of one image's record: the file, or a reference of some 300 bytes.
        groups: consumer groups that read each topic of sources.
        replication: copies of each record.
        retention_days: how long records stay.
        utilisation: how much of a machine is planned to be used, above 0 and at most 1: the rest is for failures and catching up.
        growth: how many times as many workers shall be able to join later: partitions are hard to add, for keys move.
        network_gbit_s: of a broker's network card, each way.
        disk_mb_s: what the disk of a broker, or of the database, writes.
        disk_tb: of one broker.
        database_cores: of the PostgreSQL server.
        round_trip_ms: from a worker to the database and back.
        batch_records: most records of one transaction of the analytics agent.
        images_at_once: by the images agent of one worker, each in a child process.
    """

    events_per_s: float = 1_000_000
    event_bytes: float = 120
    images_per_s: float = 10_000
    image_bytes: float = 300
    groups: int = 2
    replication: int = 3
    retention_days: float = 7
    utilisation: float = 0.6
    growth: float = 2
    network_gbit_s: float = 10
    disk_mb_s: float = 1_000
    disk_tb: float = 16
    database_cores: int = 16
    round_trip_ms: float = 0.5
    batch_records: int = 60_000
    images_at_once: int = 2


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the plan: a value, its unit, and how it comes about, in words."""

    name: str
    value: float
    unit: str
    how: str


@dataclass(frozen=True, slots=True)
class Limit:
    """What more machines of the same kind do not lift: how much of it is used."""

    name: str
    used: float
    available: float
    unit: str

    @property
    def share(self) -> float:
        """Used of available; above 1 the plan cannot be met so."""
        return self.used / self.available


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan.

    Attributes:
        figures: in the order in which they are worked out.
        brokers_by: brokers that each rule asks for; the largest is taken.
        limits: those that more machines do not lift.
    """

    figures: Sequence[Figure]
    brokers_by: Mapping[str, int]
    limits: Sequence[Limit]

    def value(self, name: str) -> float:
        """A figure's value.

        Raises:
            KeyError: for a name that no figure has.
        """
        return {figure.name: figure.value for figure in self.figures}[name]

    @property
    def brokers_set_by(self) -> str:
        """The rule that asks for the most brokers."""
        return max(self.brokers_by, key=self.brokers_by.__getitem__)

    @property
    def first_limit(self) -> Limit:
        """The fullest of the limits that more machines do not lift."""
        return max(self.limits, key=lambda limit: limit.share)


def plan(target: Target, costs: Costs) -> Plan:
    """The plan for a target."""
    workers = _workers(target, costs)
    counts = {figure.name: figure.value for figure in workers}
    database = _database(target, costs, processes=counts["analytics processes"])
    traffic = _traffic(target, costs)
    moved = {figure.name: figure.value for figure in (*traffic, *database)}
    partitions = _partitions(target, counts)
    kept = _kept(costs, partitions=partitions[0].value)
    replicas = sum(figure.value for figure in partitions) * target.replication
    brokers_by = _brokers(target, moved, replicas)
    brokers = Figure("brokers", max(brokers_by.values()), "", f"the most that a rule asks for: {_listed(brokers_by)}")
    limits = [
        Limit("PostgreSQL's log", moved["database log, at least"], target.disk_mb_s * target.utilisation, "MB/s"),
        Limit(
            "PostgreSQL's cores", moved["database cores, at least"], target.database_cores * target.utilisation, "cores"
        ),
        Limit("replicas in one Kafka cluster", replicas, REPLICAS_PER_CLUSTER, "replicas"),
    ]
    return Plan([*workers, *partitions, *traffic, brokers, *database, kept], brokers_by, limits)


def _workers(target: Target, costs: Costs) -> list[Figure]:
    event_s = 1 / costs.analytics.events_per_s + (
        costs.full.round_trips * target.round_trip_ms / 1000 / target.batch_records
    )
    events_at_once = target.events_per_s * event_s / target.utilisation
    image_children = target.images_per_s / costs.images.events_per_s / target.utilisation
    publishing = target.events_per_s / costs.publish.events_per_s / target.utilisation
    return [
        Figure(
            "analytics processes", math.ceil(events_at_once), "",
            "events/s x (s per event, whole way + its part of the round trips to the database) / utilisation",
        ),
        Figure("analytics cores", _cores(target, target.events_per_s, costs.analytics.cpu_us), "", _CORES),
        Figure(
            "image processes", math.ceil(image_children / target.images_at_once), "",
            f"images/s / images/s one after another / utilisation / {target.images_at_once} at once",
        ),
        Figure("image cores", _cores(target, target.images_per_s, costs.images.cpu_us), "", _CORES),
        Figure(
            "publishing processes", math.ceil(publishing), "", "events/s / events/s of one publisher / utilisation"
        ),
        Figure("publishing cores", _cores(target, target.events_per_s, costs.publish.cpu_us), "", _CORES),
    ]  # fmt: skip


_CORES = "rate x CPU seconds of one / utilisation"


def _cores(target: Target, rate: float, cpu_us: float) -> int:
    return math.ceil(rate * cpu_us / 1e6 / target.utilisation)


def _partitions(target: Target, counts: Mapping[str, float]) -> list[Figure]:
    return [
        Figure(
            f"partitions of {topic}", math.ceil(max(1, counts[f"{agent} processes"]) * target.growth), "",
            f"{agent} processes x growth {target.growth:g}",
        )
        for topic, agent in (("activity.recorded", "analytics"), ("images.uploaded", "image"))
    ]  # fmt: skip


def _traffic(target: Target, costs: Costs) -> list[Figure]:
    events = target.events_per_s * target.event_bytes * costs.stored_share / MB
    images = target.images_per_s * target.image_bytes / MB
    results = target.images_per_s * costs.image_result_bytes / MB
    produced = events + images + results
    read = (events + images) * target.groups + results
    return [
        Figure("events produced", events, "MB/s", "events/s x event bytes x what compression leaves"),
        Figure("images produced", images, "MB/s", "images/s x bytes of an image's record"),
        Figure("results produced", results, "MB/s", "images/s x bytes of a result"),
        Figure("network into brokers", produced * target.replication, "MB/s", "produced x replication"),
        Figure(
            "network out of brokers", read + produced * (target.replication - 1), "MB/s",
            "sources x groups + results once + produced x (replication - 1)",
        ),
        Figure("disk writes of brokers", produced * target.replication, "MB/s", "produced x replication"),
        Figure(
            "disk of brokers", produced * MB * target.retention_days * _DAY_S * target.replication / TB, "TB",
            "produced x retention x replication",
        ),
    ]  # fmt: skip


def _brokers(target: Target, moved: Mapping[str, float], replicas: float) -> dict[str, int]:
    card_mb_s = target.network_gbit_s * 1000 / 8 * target.utilisation
    return {
        "replication": target.replication,
        "network in": math.ceil(moved["network into brokers"] / card_mb_s),
        "network out": math.ceil(moved["network out of brokers"] / card_mb_s),
        "disk writes": math.ceil(moved["disk writes of brokers"] / (target.disk_mb_s * target.utilisation)),
        "disk size": math.ceil(moved["disk of brokers"] / (target.disk_tb * target.utilisation)),
        "replicas": math.ceil(replicas / REPLICAS_PER_BROKER),
    }


def _database(target: Target, costs: Costs, *, processes: float) -> list[Figure]:
    """Of the exact state: at least, with full batches, and at most, when workers that keep up commit what little there is."""
    full, small = costs.full, costs.small
    fewest = target.events_per_s / target.batch_records
    small_s = small.seconds + small.round_trips * target.round_trip_ms / 1000
    idle = max(0.0, processes - target.events_per_s / costs.analytics.events_per_s)
    most = max(fewest, min(target.events_per_s, idle / small_s))
    return [
        Figure("transactions/s, at least", fewest, "/s", f"events/s / {target.batch_records:,} records of a full batch"),
        Figure(
            "transactions/s, at most", most, "/s",
            "processes x the part of their time that events leave / s of a small transaction",
        ),
        Figure("rows/s, at least", fewest * full.rows, "/s", f"transactions x {full.rows:g} rows"),
        Figure("rows/s, at most", most * small.rows, "/s", f"transactions x {small.rows:g} rows"),
        Figure("database log, at least", fewest * full.wal_bytes / MB, "MB/s", "transactions x bytes of log"),
        Figure("database log, at most", most * small.wal_bytes / MB, "MB/s", "transactions x bytes of log"),
        Figure("database cores, at least", fewest * full.server_cpu_s, "", "transactions x CPU seconds of the server"),
        Figure("database cores, at most", most * small.server_cpu_s, "", "transactions x CPU seconds of the server"),
    ]  # fmt: skip


def _kept(costs: Costs, *, partitions: float) -> Figure:
    return Figure(
        "database grows by", partitions * _MINUTES_A_DAY * costs.full.wal_bytes / GB, "GB/day",
        f"partitions x {_MINUTES_A_DAY:,} minutes x log of a full batch: the minute's summaries, once",
    )  # fmt: skip


def _listed(brokers_by: Mapping[str, int]) -> str:
    return ", ".join(f"{rule} {count}" for rule, count in brokers_by.items())
