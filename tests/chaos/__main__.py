"""`python -m tests.chaos`: one run, or the proof that the harness can go red."""

import json
import signal
import sys
from typing import NoReturn

from tests.chaos.faults import FAULTS
from tests.chaos.mutations import MUTATIONS
from tests.chaos.options import Options, options_of, parser
from tests.chaos.prove import prove
from tests.chaos.run import brokers, run
from tests.chaos.say import say


def main() -> int:
    """0 if every invariant held, or every mutation went red; 1 if not; 2 for what cannot be run."""
    signal.signal(signal.SIGTERM, _end)
    made = parser()
    given = made.parse_args()
    if given.mutations:
        for name, mutation in MUTATIONS.items():
            sys.stdout.write(f"{name:28} {mutation.breaks:4} {mutation.arguments}\n{'':28} {mutation.why}\n")
        return 0
    if given.prove is not None:
        names = [name for name in given.prove.split(",") if name] or list(MUTATIONS)
        return prove([_known(made, name) for name in names])
    try:
        options = options_of(given)
    except ValueError as error:
        made.error(str(error))
    if options.mutation:
        _known(made, options.mutation)
    return _run(options)


def _run(options: Options) -> int:
    needed = max((FAULTS[name].brokers for name in options.names), default=1)
    number = max(options.brokers, needed)
    with brokers(number, proxied="network" in options.names) as (stack, proxies):
        result = run(options, stack, proxies)
    for name, (count, *texts) in result["violations"].items():
        say(f"{name} is broken, {count} times: {'; '.join(texts)}")
    sys.stdout.write(json.dumps(result) + "\n")
    return 1 if result["violations"] else 0


def _known(made: object, name: str) -> str:
    if name not in MUTATIONS:
        made.error(f"there is no mutation {name!r}; --mutations lists them")  # type: ignore[attr-defined]
    return name


def _end(_number: int, _frame: object) -> NoReturn:
    """SIGTERM ends the run as Ctrl-C does: every process that it has started with it."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
