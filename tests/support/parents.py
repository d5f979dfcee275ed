"""A process whose child process handles a record without end: `python -m tests.support.parents AGENT WISH`; says the child's pid."""

import sys
import time

import msgspec

from consumers.runtime.chunk import Purpose
from consumers.runtime.executors.processes import Processes
from tests.support.kits import Bench, order_record


def main(agent, wish):
    """Say the pid once the record runs, and stay."""
    bench = Bench(agent)
    bench.agent = msgspec.structs.replace(bench.agent, deadline_s=3600.0)  # else the child would be killed for that
    alone = not isinstance(bench.executor, Processes)
    chunk = bench.submit([order_record(bench.kit, 0, wish=wish)], Purpose.ALONE if alone else Purpose.RECORDS)
    while not chunk.started_s:
        time.sleep(0.01)
    children = bench.executor._children if alone else bench.executor
    print(next(keeper.child for keeper in children._keepers if keeper.parcels)._process.pid, flush=True)
    time.sleep(3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
