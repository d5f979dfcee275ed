"""A worker with a named fault in its runtime: patch one function, then run Faust's own worker command.

Only this module reads CHAOS_MUTATION; the harness starts it in place of `faust` when a mutation is switched on.
"""

import os
import sys

from faust.cli.faust import cli

from tests.chaos.mutations import MUTATIONS

if __name__ == "__main__":
    MUTATIONS[os.environ["CHAOS_MUTATION"]].patch()
    sys.exit(cli())
