"""`python -m bench.pool KIND COUNT`: a bare pool that calls the agent's handler on the same events, without Kafka.

KIND is images, image (with one thread), text (threads) or text-processes. As many threads, or processes, as the agent has: two.
"""

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

from bench import handlers, inputs
from consumers import text
from consumers.context import Context, Resources
from schemas.records import TextAnalyzed, TextPosted

_WIDTH = 2
_TEXTS_AT_ONCE = 100
"""By one message to a child: one by one the pool itself would be half of the work."""


def main() -> None:
    """Work on all of them, then wait for SIGTERM, so that the last counts are written down."""
    kind, count = sys.argv[1], int(sys.argv[2])
    if kind == "text-processes":
        _texts_in_processes(count)
    elif kind == "text":
        text.warm()
        _in_threads(handlers.analyze_text, list(inputs.posts(count)), threads=_WIDTH)
    else:
        _in_threads(handlers.process_image, list(inputs.uploads(count)), threads=_WIDTH if kind == "images" else 1)


def _in_threads(handler: Callable[[Any, Context], object], events: list[Any], *, threads: int) -> None:
    context = _context()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda event: handler(event, context), events):
            pass
        signal.pause()


def _texts_in_processes(count: int) -> None:
    posts = list(inputs.posts(count))
    with ProcessPoolExecutor(_WIDTH, mp_context=get_context("spawn"), initializer=text.warm) as pool:
        for _ in pool.map(_analyze, posts, chunksize=_TEXTS_AT_ONCE):
            pass
        signal.pause()


def _analyze(post: TextPosted) -> TextAnalyzed:
    return handlers.analyze_text(post, _context())


def _context() -> Context:
    return Context(resources=Resources(os.environ["HEADRACE_STORE_URL"]))


if __name__ == "__main__":
    main()
