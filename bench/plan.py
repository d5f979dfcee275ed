"""`python -m bench.plan`: how many brokers, partitions and workers a load needs, from measured costs, and what runs full first."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from bench.plan_costs import load
from bench.planning import Limit, Plan, Target, plan

_HELP = {
    "events_per_s": "activity events a second",
    "event_bytes": "bytes of an event's value, before compression",
    "images_per_s": "images a second",
    "image_bytes": "bytes of an image's record: 300 for a reference, the file's size where the record carries it",
    "groups": "consumer groups that read each topic",
    "replication": "copies of each record",
    "retention_days": "days that a record stays",
    "utilisation": "how much of a machine is planned to be used",
    "images_at_once": "how many images one worker works on at once",
    "growth": "how many times as many workers can join later",
    "network_gbit_s": "a broker's network card, each way",
    "disk_mb_s": "what a disk writes, of a broker and of the database",
    "disk_tb": "a broker's disk",
    "database_cores": "cores of the PostgreSQL server",
    "round_trip_ms": "from a worker to the database and back",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the plan; 1 when a limit that more machines don't lift is exceeded."""
    options = _read(argv)
    output = options.pop("output")
    costs = load()
    target = Target(**options)
    made = plan(target, costs)
    if output == "json":
        print(json.dumps(_plain(made, target, costs.measured), indent=1))
    else:
        print(text(made))
        print(f"Costs: {'; '.join(f'{name}: {value}' for name, value in costs.measured.items())}")
    return int(made.first_limit.share > 1)


def _read(argv: Sequence[str] | None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m bench.plan",
        description=__doc__,
        epilog="examples: python -m bench.plan --events-per-s 50000 --images-per-s 20   "
        "python -m bench.plan --image-bytes 35000 --retention-days 1 -o json",
    )
    for field in fields(Target):
        if field.name in _HELP:
            parser.add_argument(
                f"--{field.name.replace('_', '-')}", type=int if field.type is int else float, default=field.default, metavar="N",
                help=f"{_HELP[field.name]} (%(default)s)",
            )  # fmt: skip
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    options = vars(parser.parse_args(argv))
    if any(value <= 0 for name, value in options.items() if name in _HELP) or options["utilisation"] > 1:
        parser.error("every number must be above 0, and --utilisation at most 1")
    return options


def text(made: Plan) -> str:
    """The plan as a table in Markdown, and what comes first."""
    cells = [("figure", "value", "how it comes about"), ("---", "---:", "---")]
    cells += [(figure.name, f"{_number(figure.value)} {figure.unit}".rstrip(), figure.how) for figure in made.figures]
    table = "\n".join(f"| {' | '.join(row)} |" for row in cells)
    limits = "\n".join(f"- {_said(limit)}" for limit in made.limits)
    return (
        f"{table}\n\nThe number of brokers is set by: {made.brokers_set_by}.\n"
        f"What more machines do not lift:\n{limits}\n"
        f"The first of them is {made.first_limit.name}, at {1 / made.first_limit.share:,.1f} times this load."
    )


def _said(limit: Limit) -> str:
    return f"{limit.name}: {_number(limit.used)} of {_number(limit.available)} {limit.unit}, {limit.share:.1%}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:,.2g}"


def _plain(made: Plan, target: Target, measured: dict[str, str]) -> dict[str, object]:
    return {
        "target": asdict(target),
        "figures": [asdict(figure) for figure in made.figures],
        "brokers_set_by": made.brokers_set_by,
        "limits": [{**asdict(limit), "share": limit.share} for limit in made.limits],
        "first_limit": made.first_limit.name,
        "measured": measured,
    }


if __name__ == "__main__":
    sys.exit(main())
