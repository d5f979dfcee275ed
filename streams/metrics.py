"""Prometheus text on 127.0.0.1, off by default: made from the agents' counts at the moment of the scrape."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from consumers.runtime.runner import Runner

_COUNTERS: dict[str, tuple[str, Callable[[Runner], float]]] = {
    "headrace_records_handled": ("Records whose handler returned.", lambda runner: runner.stats.handled),
    "headrace_results": ("Results acknowledged by the broker.", lambda runner: runner.stats.results),
    "headrace_retries": ("Failed attempts that were followed by another.", lambda runner: runner.stats.retried),
    "headrace_waits": ("Failures of a dependency, which count no attempt.", lambda runner: runner.stats.waited),
    "headrace_dead_letters": ("Dead letters acknowledged by the broker.", lambda runner: runner.stats.dead_lettered),
    "headrace_discarded": ("Outcomes that came after their partition was gone.", lambda runner: runner.stats.discarded),
}
_GAUGES: dict[str, tuple[str, Callable[[Runner], float]]] = {
    "headrace_in_hand": ("Records taken and not finished.", lambda runner: runner.in_hand),
    "headrace_partitions": ("Partitions assigned.", lambda runner: len(runner.membership.assignments)),
    "headrace_careful_partitions": ("Partitions whose suspects run in child processes.", lambda runner: runner.careful),
    "headrace_hung_handlers": ("Handlers given up at their deadline that still run.", lambda runner: runner.hung),
    "headrace_circuits_open": ("Dependencies that are waited for.", lambda runner: len(runner.circuits.open)),
    "headrace_rate": ("Records finished a second, over five seconds.", lambda runner: runner.stats.rate),
    "headrace_handling_p50_ms": ("Median handling time.", lambda runner: runner.stats.percentile_ms(0.5) or 0.0),
    "headrace_handling_p99_ms": (
        "99th percentile of the handling time.",
        lambda runner: runner.stats.percentile_ms(0.99) or 0.0,
    ),
}


class _AgentsCollector(Collector):
    def __init__(self, runners: list[Runner]) -> None:
        self._runners = runners

    def collect(self) -> Iterator[Metric]:
        for kind, table in ((CounterMetricFamily, _COUNTERS), (GaugeMetricFamily, _GAUGES)):
            for name, (text, value_of) in table.items():
                family = kind(name, text, labels=["agent"])
                for runner in self._runners:
                    family.add_metric([runner.agent.name], value_of(runner))
                yield family


def serve(runners: list[Runner], port: int) -> None:
    """Serve on 127.0.0.1; the daemon thread ends with the process."""
    registry = CollectorRegistry()
    registry.register(_AgentsCollector(runners))
    start_http_server(port, addr="127.0.0.1", registry=registry)
