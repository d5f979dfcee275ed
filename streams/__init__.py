"""The Faust application that hosts the agents, and the operator's commands.

`app` is made at first use: importing Faust takes a third of a second, which other commands need not pay.
"""

from typing import TYPE_CHECKING, Any

import headrace

headrace.check()

if TYPE_CHECKING:
    from streams.application import Headrace

    app: Headrace


def __getattr__(name: str) -> Any:
    if name == "app":
        from streams.application import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
