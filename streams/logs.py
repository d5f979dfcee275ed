"""One line an event on stderr, with ids and durations; never a payload."""

import logging
import sys
from typing import Any

import structlog


def configure(level: str) -> None:
    """Log to stderr from this level on; coloured only on a terminal without NO_COLOR."""
    import os

    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=True) if colours else _plain,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.__stderr__),
        cache_logger_on_first_use=False,
    )


def _plain(_logger: Any, _method: str, event: Any) -> str:
    """`time level event name=value …`, as logfmt: a program can read it, and so can a person."""
    time, level, name = event.pop("timestamp"), event.pop("level"), event.pop("event")
    trace = event.pop("exception", None)
    facts = " ".join(f"{key}={_quoted(value)}" for key, value in event.items() if value is not None)
    return f"{time} {level} {name} {facts}".rstrip() + (f"\n{trace}" if trace else "")


def _quoted(value: Any) -> str:
    text = str(value)
    return f'"{text}"' if " " in text or not text else text
