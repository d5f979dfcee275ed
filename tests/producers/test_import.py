"""A microservice that publishes pays for the core only."""

import json
import subprocess
import sys

HEAVY = {
    "faust", "mode", "aiokafka", "polars", "sqlalchemy", "structlog", "fastavro", "avro", "rich", "click", "requests",
    "httpx", "pyvips", "obstore", "prometheus_client", "consumers", "streams", "devstack",
}  # fmt: skip
SCRIPT = """
import json, sys, time
started_s = time.perf_counter()
import producers
print(json.dumps({"ms": (time.perf_counter() - started_s) * 1000, "modules": sorted(sys.modules), "names": producers.__all__}))
"""


def test_importing_producers_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    print(f"import producers: {said['ms']:.0f} ms, {len(said['modules'])} modules")
    assert HEAVY.isdisjoint(said["modules"])
    assert {"Publisher", "AsyncPublisher", "MemoryPublisher", "PublishError"} <= set(said["names"])
