"""`python -m demo`: start everything, wait until all is processed, show it, stop everything."""

import argparse
import sys

from demo.show import Show
from devstack import DevstackError
from schemas.errors import HeadraceError


def main() -> int:
    """Run the demo; 0 when everything came out as it should."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--registry", action="store_true", help="with a real schema registry too")
    options = parser.parse_args()
    try:
        return Show(registry=options.registry).run()
    except (HeadraceError, DevstackError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
